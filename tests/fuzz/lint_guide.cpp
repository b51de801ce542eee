// SPDX-License-Identifier: Apache-2.0
// Prose with anything in it: hits lie in the text and come by line; reading it twice gives the
// same; the kind that is recognized can be looked at too.
#include <algorithm>

#include "fuzz.h"
#include "plan/lint.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  using tessera::plan::TextKind;
  const auto text = tessera::fuzz::text_of(data, size);
  const int lines = 1 + static_cast<int>(std::ranges::count(text, '\n'));
  const tessera::model::HostSnapshot host;
  for (const TextKind kind :
       {TextKind::guide, TextKind::shell, tessera::plan::recognize_text(text, "text")}) {
    const auto hits = tessera::plan::lint(text, "text", kind, host);
    const auto again = tessera::plan::lint(text, "text", kind, host);
    must(hits.size() == again.size(), "the same text makes the same hits");
    int line = 1;
    for (const auto& hit : hits) {
      must(hit.line >= line && hit.line <= lines, "hits lie in the text, and come by line");
      must(!hit.right.empty() && !hit.why.empty(), "a hit says the right form, and why");
      line = hit.line;
    }
  }
  return 0;
}
