// SPDX-License-Identifier: Apache-2.0
// modprobe.d files, lists of modules and GRUB's default file: hits lie in the text, say the right
// form, and come in the order of lines; a comment in front moves them and does nothing else.
#include "fuzz.h"
#include "plan/lint.h"

namespace {

using tessera::fuzz::must;
using tessera::plan::TextKind;

void check(const std::string& text, TextKind kind) {
  const tessera::model::HostSnapshot host;
  const auto hits = tessera::plan::lint(text, "f", kind, host);
  const auto moved = tessera::plan::lint("# a comment\n" + text, "f", kind, host);
  must(hits.size() == moved.size(), "a comment makes and takes no hit");
  for (std::size_t i = 0; i < hits.size(); ++i) {
    must(hits[i].line >= 1, "a hit has a line");
    must(!hits[i].right.empty() && !hits[i].why.empty(), "a hit says the right form, and why");
    must(i == 0 || hits[i - 1].line <= hits[i].line, "hits come by line");
    must(moved[i].line == hits[i].line + 1, "a line in front moves hits by one");
    must(moved[i].id == hits[i].id && moved[i].seen == hits[i].seen, "and changes nothing else");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(tessera::fuzz::text_of(data, size));
  check(text, TextKind::modprobe);
  check(text, TextKind::module_list);
  check(text, TextKind::grub);
  return 0;
}
