// SPDX-License-Identifier: Apache-2.0
// Mediated devices (Documentation/driver-api/vfio-mediated-device.rst): on the card (NVIDIA Volta
// to Turing), on its virtual functions (NVIDIA Ampere on), of GVT-g, and on virtual devices.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "base/uuid.h"
#include "kernel/files.h"
#include "probe/drivers.h"
#include "probe/read.h"
#include "probe/slices/frameworks.h"
#include "probe/slices/support.h"

namespace tessera::probe::slices {

namespace files = kernel::files;
using model::Framework;
using model::SliceSource;

namespace {

constexpr std::string_view types_folder = "/mdev_supported_types";

/// `name` and `description` need not be there; the type's own name serves then.
model::Profile read_profile(const kernel::Root& root, const std::string& folder,
                            const std::string& type) {
  model::Profile profile;
  profile.type = type;
  profile.device_api = text::printable(read_text(root, folder + "/device_api").value_or(""));
  if (const auto text = root.read(folder + "/description")) take_description(*text, profile);
  take_nvidia_name(read_text(root, folder + "/name").value_or(type), profile);
  return profile;
}

void read_types(const kernel::Root& root, SliceSource& source, model::SliceParent& parent) {
  const auto folder = parent.sysfs_path + std::string(types_folder);
  const auto types = root.list(folder);
  if (!types) return;
  for (const auto& type : *types) {
    const auto path = folder + "/" + type;
    parent.creatable.push_back({type, read_int(root, path + "/available_instances")});
    if (!source.profile(type)) source.profiles.push_back(read_profile(root, path, type));
  }
}

model::Slice read_slice(const kernel::Root& root, const model::SliceParent& parent,
                        const SliceSource& source, const std::string& uuid) {
  const auto folder = parent.sysfs_path + "/" + uuid;
  model::Slice slice;
  slice.identity = uuid;
  slice.parent = parent.device;
  slice.framework = source.framework;
  slice.type = read_link_name(root, folder + "/mdev_type").value_or("");
  const auto* const profile = source.profile(slice.type);
  slice.name = profile ? profile->name : slice.type;
  slice.driver = read_link_name(root, folder + "/driver").value_or("");
  const auto group = read_link_name(root, folder + "/iommu_group");
  if (auto number = parse_int(group.value_or(""))) slice.iommu_group = *number;
  slice.settings = read_text(root, folder + "/nvidia/vgpu_params");
  return slice;
}

void read_slices(const kernel::Root& root, const model::SliceParent& parent, SliceSource& source) {
  const auto names = root.list(parent.sysfs_path);
  if (!names) return;
  for (const auto& name : *names) {
    if (is_uuid(name)) source.slices.push_back(read_slice(root, parent, source, name));
  }
}

/// Parents by the kernel's own list; a recording may have only the functions' side.
std::set<std::string> parent_names(const kernel::Root& root, const model::HostSnapshot& host) {
  std::set<std::string> names;
  if (auto listed = root.list(files::mdev_parents)) names.insert(listed->begin(), listed->end());
  if (root.is_complete()) return names;
  for (const auto& function : host.functions) {
    const auto device = model::to_string(function.address);
    if (root.exists(files::pci_device(device, types_folder.substr(1)))) names.insert(device);
  }
  return names;
}

std::string directory_of(const kernel::Root& root, const std::string& parent) {
  const auto as_function = files::pci_device(parent);
  const bool has_types = root.exists(as_function + std::string(types_folder));
  return has_types ? as_function : files::mdev_parent(parent);
}

}  // namespace

void read_mdev(const kernel::Root& root, const model::HostSnapshot& host,
               std::vector<SliceSource>& found) {
  for (const auto& device : parent_names(root, host)) {
    const bool is_virtual_function = physical_function(root, device).has_value();
    const auto framework = is_virtual_function ? Framework::mdev_on_vf : Framework::mdev;
    auto& source = source_of(root, host, device, framework, found);
    auto parent = parent_at(root, device, directory_of(root, device));
    read_types(root, source, parent);
    read_slices(root, parent, source);
    source.parents.push_back(std::move(parent));
  }
  for (auto& source : found) {
    if (source.framework == Framework::vendor_vfio) continue;
    put_in_order(source);
    const bool gvt = std::ranges::any_of(
        source.profiles, [](const model::Profile& profile) { return profile.gvt.has_value(); });
    if (!gvt) continue;
    source.framework = Framework::gvt_g;
    for (auto& slice : source.slices) slice.framework = Framework::gvt_g;
  }
}

}  // namespace tessera::probe::slices
