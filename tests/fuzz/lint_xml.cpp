// SPDX-License-Identifier: Apache-2.0
// A libvirt domain or a piece of one: elements know their lines, outer ones come first, and a text
// around which an element is put nests as before.
#include <algorithm>

#include "fuzz.h"
#include "plan/lint/xml.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  namespace linting = tessera::plan::linting;
  const std::string text(tessera::fuzz::text_of(data, size));
  const int lines = 1 + static_cast<int>(std::ranges::count(text, '\n'));
  const auto piece = linting::read_xml(text, 1);
  linting::walk_xml(piece.root, [&](const auto& element, const auto& above) {
    must(!element.name.empty(), "an element has a name");
    must(element.line >= 1 && element.line <= lines, "an element is on a line of the text");
    must(above.empty() || above.back()->line <= element.line, "an element is below its parent");
  });
  for (const auto& tag : piece.nesting) {
    must(tag.text.starts_with('<'), "what does not nest is a tag");
    must(tag.line >= 1 && tag.line <= lines, "and is on a line of the text");
  }
  must(!piece.broken || piece.nesting.empty(), "one complaint about the form is enough");
  const auto moved = linting::read_xml(text, 100);
  must(moved.nesting.size() == piece.nesting.size(), "the first line's number changes lines only");
  must(linting::plain_signs_in_place(text).size() == text.size(), "plain signs keep all places");
  return 0;
}
