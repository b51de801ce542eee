// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "app/printers/style.h"
#include "plan/lint.h"

namespace tessera::app {

/// One text that was looked at.
struct LintedText {
  std::string path;
  plan::TextKind kind = plan::TextKind::guide;
  std::vector<plan::Hit> hits;
};

/// Each hit as compilers print theirs, "FILE:LINE:COLUMN: wrong: WHAT [id]", with what was seen,
/// why and the right form below it; then how many there are. The why of a rule is told once.
std::string lint_text(const std::vector<LintedText>& texts, const ReportStyle& style);

/// tessera/lint/1.
nlohmann::ordered_json lint_json(const std::vector<LintedText>& texts);

/// All rules as a table, and as tessera/lint-rules/1.
std::string lint_rules_text(const ReportStyle& style);
nlohmann::ordered_json lint_rules_json();

}  // namespace tessera::app
