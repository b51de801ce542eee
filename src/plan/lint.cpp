// SPDX-License-Identifier: Apache-2.0
#include "plan/lint.h"

#include <algorithm>

#include "plan/lint/pieces.h"

namespace tessera::plan {

namespace {

/// Where `seen` begins in its line, as written or with plain signs; 0 where it is not in one piece.
int column_of(const linting::Pieces& pieces, int line, const std::string& seen) {
  const auto index = static_cast<std::size_t>(line) - 1;
  if (seen.empty() || line < 1 || index >= pieces.raw.size()) return 0;
  const auto at = pieces.raw[index].find(seen);
  return at == std::string::npos ? 0 : static_cast<int>(at) + 1;
}

void complete(Hit& hit, const LintRule& rule, const linting::Pieces& pieces) {
  hit.id = rule.id;
  hit.path = pieces.name;
  hit.column = column_of(pieces, hit.line, hit.seen);
  if (hit.says.empty()) hit.says = rule.says;
  if (hit.right.empty()) hit.right = rule.right;
  if (hit.why.empty()) {
    hit.why = rule.why;
    hit.verdict = rule.verdict;
  }
}

}  // namespace

std::string_view to_string(LintVerdict verdict) {
  switch (verdict) {
    case LintVerdict::wrong:
      return "wrong";
    case LintVerdict::obsolete:
      return "obsolete";
    case LintVerdict::dangerous:
      return "dangerous";
    case LintVerdict::no_op:
      return "no-op";
  }
  return "wrong";
}

std::vector<Hit> lint(std::string_view text, std::string_view name, std::optional<TextKind> kind,
                      const model::HostSnapshot& host) {
  const auto pieces =
      linting::collect_pieces(text, name, kind ? *kind : recognize_text(text, name));
  const LintScope scope{pieces, host};
  std::vector<Hit> hits;
  for (const LintRule& rule : all_lint_rules()) {
    for (Hit& hit : rule.look(scope)) {
      complete(hit, rule, pieces);
      hits.push_back(std::move(hit));
    }
  }
  std::ranges::stable_sort(hits, {}, &Hit::line);
  const auto same = [](const Hit& a, const Hit& b) {
    return a.id == b.id && a.line == b.line && a.seen == b.seen && a.says == b.says;
  };
  const auto repeated = std::ranges::unique(hits, same);
  hits.erase(repeated.begin(), repeated.end());
  return hits;
}

}  // namespace tessera::plan
