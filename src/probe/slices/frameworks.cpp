// SPDX-License-Identifier: Apache-2.0
#include "probe/slices/frameworks.h"

#include <algorithm>

namespace tessera::probe::slices {

std::span<const FrameworkReader> frameworks() {
  static constexpr FrameworkReader readers[] = {
      {"vendor-vfio", read_vendor_vfio},  // on VFs, so before the VFs themselves
      {"mdev", read_mdev},                // on cards, on VFs, and on virtual devices
      {"xe", read_xe},
      {"i915", read_i915},
      {"sriov", read_sriov},  // what is left with VFs
  };
  return readers;
}

std::vector<model::SliceSource> read_sources(const kernel::Root& root,
                                             const model::HostSnapshot& host) {
  std::vector<model::SliceSource> sources;
  for (const auto& framework : frameworks()) framework.read(root, host, sources);
  std::ranges::sort(sources, {}, &model::SliceSource::device);
  return sources;
}

}  // namespace tessera::probe::slices
