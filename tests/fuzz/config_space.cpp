// SPDX-License-Identifier: Apache-2.0
// A configuration space: whatever its chains say, values keep their ranges, and bytes that are cut
// off never turn into more than was there.
#include "probe/config_space.h"

#include "fuzz.h"

using tessera::fuzz::must;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = tessera::fuzz::text_of(data, size);
  const auto found = tessera::probe::parse_config_space(bytes);
  if (!found.has_value()) {
    must(size <= 64, "only a short one is unreadable");
    must(!found.why().empty(), "and says why");
    return 0;
  }
  const auto& capabilities = found.value();
  if (capabilities.silent) {
    must(!capabilities.acs && !capabilities.sr_iov, "a silent device says nothing");
    return 0;
  }
  must(size > 256 || !capabilities.acs, "ACS lies in the extended space only");
  must(capabilities.resizable_bars.size() <= 6, "there are six BARs");
  for (const auto& bar : capabilities.resizable_bars) {
    must(bar.index >= 0 && bar.index <= 7, "an index has three bits");
    must(bar.size_mib != 0, "a BAR has a size");
  }
  return 0;
}
