// SPDX-License-Identifier: Apache-2.0
#include "probe/slices/users.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/uuid.h"
#include "kernel/files.h"

namespace tessera::probe::slices {

namespace files = kernel::files;

namespace {

std::string directory_of(const model::Slice& slice) {
  return is_uuid(slice.identity) ? files::mdev_device(slice.identity)
                                 : files::pci_device(slice.identity);
}

std::vector<std::string> device_files_of(const kernel::Root& root, const model::Slice& slice) {
  std::vector<std::string> paths;
  if (slice.iommu_group.has_value()) {
    paths.push_back(fmt::format("{}/{}", files::dev_vfio, slice.iommu_group.value()));
  }
  const auto own = root.list(directory_of(slice) + "/vfio-dev");
  if (!own) return paths;
  for (const auto& name : *own) {
    paths.push_back(fmt::format("{}/devices/{}", files::dev_vfio, name));
  }
  return paths;
}

/// Only what is below /dev/vfio can be a slice's: where nobody has such a file open, the slices
/// need not be asked for theirs.
bool some_may_be_used(const kernel::OpenDeviceScan& scan) {
  return std::ranges::any_of(scan.processes, [](const auto& process) {
    return std::ranges::any_of(
        process.paths, [](std::string_view path) { return path.starts_with(files::dev_vfio); });
  });
}

}  // namespace

void find_slice_users(const kernel::Root& root, model::HostSnapshot& host) {
  const auto scan = kernel::scan_open_devices(root);
  const bool used = some_may_be_used(scan);
  for (auto& source : host.slice_sources) {
    for (auto& slice : source.slices) {
      slice.users.clear();
      if (!used) continue;
      const auto own = device_files_of(root, slice);
      for (const auto& process : scan.processes) {
        const auto held = std::ranges::find_first_of(process.paths, own);
        if (held == process.paths.end()) continue;
        slice.users.push_back({process.pid, process.name, process.unit, *held});
      }
    }
  }
}

}  // namespace tessera::probe::slices
