// SPDX-License-Identifier: Apache-2.0
// NVIDIA's vGPUs without mediated devices: a folder nvidia/ on each virtual function, from
// Linux 6.8 on and where that was brought to older kernels. A virtual function holds one vGPU or
// none.
#include <algorithm>

#include "base/text.h"
#include "kernel/files.h"
#include "probe/read.h"
#include "probe/slices/frameworks.h"
#include "probe/slices/support.h"

namespace tessera::probe::slices {

namespace files = kernel::files;
using model::Profile;
using model::SliceSource;

namespace {

/// Of a device that has no class in a recording it is not known that it is no GPU.
bool may_be_gpu(const model::PciFunction& function) {
  return !function.class_code.has_value() || model::is_gpu_class(function.class_code.value());
}

void take_types(std::string_view text, SliceSource& source, model::SliceParent& parent) {
  for (auto& profile : parse_creatable_types(text)) {
    parent.creatable.push_back({profile.type, 1});
    if (!source.profile(profile.type)) source.profiles.push_back(std::move(profile));
  }
}

/// The type of a vGPU that runs may not be creatable any more, so that only its number is known.
void take_slice(const kernel::Root& root, const model::SliceParent& parent, SliceSource& source) {
  const auto folder = parent.sysfs_path + "/nvidia/";
  model::Slice slice;
  slice.identity = slice.parent = parent.device;
  slice.framework = model::Framework::vendor_vfio;
  slice.type = std::to_string(parent.current_type.value());
  slice.driver = parent.driver;
  slice.iommu_group = parent.iommu_group;
  slice.placement_id = read_int(root, folder + "placement_id");
  slice.gpu_instance = read_int(root, folder + "gpu_instance_id");
  slice.settings = read_text(root, folder + "vgpu_params");
  source.slices.push_back(std::move(slice));
}

void name_slices(SliceSource& source) {
  for (auto& slice : source.slices) {
    const Profile* const profile = source.profile(slice.type);
    slice.name = profile ? profile->name : slice.type;
  }
}

}  // namespace

std::vector<Profile> parse_creatable_types(std::string_view text) {
  std::vector<Profile> profiles;
  for (auto line : text::lines(text)) {
    const auto colon = std::min(line.find(':'), line.size());
    const auto number = text::to_number(text::trim(line.substr(0, colon)));
    const auto name = text::trim(line.substr(std::min(colon + 1, line.size())));
    if (!number || name.empty()) continue;
    Profile profile;
    profile.type = std::to_string(*number);
    profile.device_api = "vfio-pci";
    model::take_nvidia_name(name, profile);
    profiles.push_back(std::move(profile));
  }
  return profiles;
}

void read_vendor_vfio(const kernel::Root& root, const model::HostSnapshot& host,
                      std::vector<SliceSource>& found) {
  for (const auto& function : host.functions) {
    if (!may_be_gpu(function)) continue;
    const auto device = model::to_string(function.address);
    const auto current = read_int(root, files::pci_device(device, "nvidia/current_vgpu_type"));
    if (current.is_absent()) continue;
    auto& source = source_of(root, host, device, model::Framework::vendor_vfio, found);
    auto parent = parent_at(root, device, files::pci_device(device));
    parent.current_type = current;
    const auto types = root.read(files::pci_device(device, "nvidia/creatable_vgpu_types"));
    if (types) take_types(*types, source, parent);
    if (current.value_or(0) != 0) take_slice(root, parent, source);
    source.parents.push_back(std::move(parent));
  }
  for (auto& source : found) {
    if (source.framework != model::Framework::vendor_vfio) continue;
    name_slices(source);
    put_in_order(source);
  }
}

}  // namespace tessera::probe::slices
