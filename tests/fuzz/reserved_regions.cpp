// SPDX-License-Identifier: Apache-2.0
// An IOMMU group's reserved_regions: what is read prints as the kernel prints it and reads the
// same.
#include <fmt/format.h>

#include "fuzz.h"
#include "probe/iommu.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  auto regions = tessera::probe::parse_reserved_regions(tessera::fuzz::text_of(data, size));
  std::string printed;
  for (const auto& region : regions) {
    must(!region.type.empty(), "a region has a type");
    printed += fmt::format("0x{:016x} 0x{:016x} {}\n", region.first, region.last, region.type);
  }
  must(tessera::probe::parse_reserved_regions(printed) == regions,
       "what is printed reads the same");
  return 0;
}
