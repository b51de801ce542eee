// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "apply/journal.h"
#include "kernel/root.h"
#include "model/plan.h"

namespace tessera::apply {

/// Whether it holds now, read from the kernel; whose a slice is, from the journal.
bool holds(const kernel::Root& root, const Journal& journal, const model::Expectation& expectation);

/// What is there instead, for the error: "leads to nouveau", "reads '(null)'", "is not there".
std::string seen_instead(const kernel::Root& root, const Journal& journal,
                         const model::Expectation& expectation);

}  // namespace tessera::apply
