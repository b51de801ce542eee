// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "plan/lint/rules.h"

namespace tessera::plan::linting {

Hits typographic_characters(const LintScope& scope) {
  Hits hits;
  for (const int line : scope.pieces.machine_lines) {
    const auto index = static_cast<std::size_t>(line) - 1;
    const std::string& raw = scope.pieces.raw[index];
    if (!has_typographic_sign(raw)) continue;
    hits.push_back(hit_at(line, std::string(text::trim(raw)),
                          std::string(text::trim(scope.pieces.lines[index]))));
  }
  return hits;
}

}  // namespace tessera::plan::linting
