// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "apply/journal.h"
#include "base/result.h"
#include "kernel/root.h"
#include "model/plan.h"

namespace tessera::apply {

/// Whether it holds now, read from the kernel; whose a slice is, from the journal.
bool holds(const kernel::Root& root, const Journal& journal, const model::Expectation& expectation);

/// What is there instead, for the error: "leads to nouveau", "reads '(null)'", "is not there".
std::string seen_instead(const kernel::Root& root, const Journal& journal,
                         const model::Expectation& expectation);

/// The word, from what the program prints now. Errors: not_found where no line matches; those of
/// kernel::run_tool; invalid for a pattern that is no regular expression.
Result<std::string> look_up(const kernel::Root& root, const model::ToolWord& word);

}  // namespace tessera::apply
