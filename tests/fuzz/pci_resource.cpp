// SPDX-License-Identifier: Apache-2.0
// A resource file: each BAR is one line, in their order, and ends after it begins.
#include "fuzz.h"
#include "probe/config_space.h"

using tessera::fuzz::must;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  int last = -1;
  for (const auto& bar : tessera::probe::parse_resource(tessera::fuzz::text_of(data, size))) {
    must(bar.index > last, "indexes ascend");
    must(bar.first <= bar.last, "a BAR is not turned round");
    last = bar.index;
  }
  return 0;
}
