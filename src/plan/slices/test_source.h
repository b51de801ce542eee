// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include "base/units.h"
#include "kernel/files.h"
#include "model/host.h"
#include "model/slice.h"

/// Hand-made slice sources for the tests of this folder, with counts as a kernel would give them.
namespace tessera::plan::slices::test {

inline model::Profile nvidia_profile(int number, int gibs, const char* series, int total_gib) {
  model::Profile profile;
  profile.type = fmt::format("nvidia-{}", number);
  profile.name = fmt::format("GRID V100-{}{}", gibs, series);
  profile.series = series;
  profile.framebuffer_bytes = static_cast<std::uint64_t>(gibs) * gib;
  profile.max_instances = total_gib / gibs;
  return profile;
}

/// A 16 GiB V100 with mediated devices on the card, empty: 1, 2, 4, 8, 16 GiB of series Q and C.
inline model::SliceSource v100() {
  model::SliceSource source;
  source.framework = model::Framework::mdev;
  source.card = model::PciAddress{0, 0x3b, 0, 0};
  source.device = "0000:3b:00.0";
  source.name = "Tesla V100";
  source.driver = "nvidia";
  source.parents.resize(1);
  source.parents[0].device = source.device;
  source.parents[0].sysfs_path = kernel::files::pci_device(source.device);
  int number = 105;
  for (const char* series : {"Q", "C"}) {
    for (int size : {1, 2, 4, 8, 16}) {
      source.profiles.push_back(nvidia_profile(number++, size, series, 16));
      source.parents[0].creatable.push_back(
          {source.profiles.back().type, source.profiles.back().max_instances});
    }
  }
  return source;
}

/// Puts slices of a type on the card and counts down as NVIDIA's driver does: 0 for other sizes.
inline void put(model::SliceSource& source, const std::string& type, int count) {
  const auto profile = *source.profile(type);
  for (int i = 0; i < count; ++i) {
    model::Slice slice;
    slice.identity = fmt::format("00000000-0000-4000-8000-{:012x}", source.slices.size());
    slice.parent = source.parents[0].device;
    slice.framework = source.framework;
    slice.type = type;
    slice.name = profile.name;
    source.slices.push_back(std::move(slice));
  }
  const int used = static_cast<int>(source.slices.size());
  for (auto& creatable : source.parents[0].creatable) {
    const auto& other = *source.profile(creatable.type);
    const bool same = other.framebuffer_bytes == profile.framebuffer_bytes;
    creatable.available = same ? other.max_instances.value() - used : 0;
  }
}

inline model::HostSnapshot host_with(model::SliceSource source) {
  model::HostSnapshot host;
  host.source = "test";
  host.slice_sources = {std::move(source)};
  return host;
}

inline std::vector<std::string> uuids(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(fmt::format("11111111-2222-4333-8444-{:012x}", i));
  return all;
}

}  // namespace tessera::plan::slices::test
