// SPDX-License-Identifier: Apache-2.0
// A kernel command line: the same arguments with wider blanks make the same hits.
#include <algorithm>

#include "fuzz.h"
#include "plan/lint.h"
#include "plan/lint/words.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  std::string text(tessera::fuzz::text_of(data, size));
  text = tessera::plan::linting::plain_signs(text.substr(0, text.find_first_of("\r\n")));
  if (std::ranges::count(text, '"') % 2 == 1) text += '"';  // blanks inside quotes do matter
  const tessera::model::HostSnapshot host;
  const auto kind = tessera::plan::TextKind::kernel_command_line;
  const auto hits = tessera::plan::lint(text, "cmdline", kind, host);
  const auto wide = tessera::plan::lint("  " + text + "  ", "cmdline", kind, host);
  must(hits.size() == wide.size(), "blanks around the line change nothing");
  for (std::size_t i = 0; i < hits.size(); ++i) {
    must(hits[i].line == 1, "a hit is on the one line");
    must(hits[i].id == wide[i].id && hits[i].seen == wide[i].seen, "the same hits in order");
    must(hits[i].column <= static_cast<int>(text.size()), "a column lies in the line");
  }
  return 0;
}
