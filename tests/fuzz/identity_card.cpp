// SPDX-License-Identifier: Apache-2.0
// The YAML of a card with foreign ids: accepted ones have something to show, refused ones say
// where.
#include "fuzz.h"
#include "identity/card.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  auto card = tessera::identity::parse_card(std::string(tessera::fuzz::text_of(data, size)), "c");
  if (!card) {
    must(card.error().kind == tessera::ErrorKind::invalid, "a bad card is `invalid`");
    must(card.error().subject.starts_with("c"), "the error says where");
    return 0;
  }
  must(!card->functions.empty(), "a card has a function");
  for (const auto& function : card->functions) {
    for (const auto& bar : function.bars) {
      must(bar.index < 6, "a function has six BARs");
      must(bar.size >= 16 && (bar.size & (bar.size - 1)) == 0, "a BAR's size is a power of two");
    }
  }
  return 0;
}
