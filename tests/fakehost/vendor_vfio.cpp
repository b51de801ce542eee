// SPDX-License-Identifier: Apache-2.0
// NVIDIA's vGPUs on virtual functions without mediated devices: the folder nvidia/ of a function.
// File names, modes and the list's format are those of a captured L40S; errors as users of such
// hosts report them. What nobody reported (a placement that is refused) is the nearest errno.
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

constexpr std::string_view folder_name = "/nvidia/";

/// The device whose folder nvidia/ holds the file: a virtual function, or an mdev.
Device* owner_of(Host& host, const std::string& path) {
  auto directory = path.substr(0, path.rfind(folder_name));
  auto found = std::ranges::find_if(
      host.devices, [&](const auto& entry) { return entry.second.path == directory; });
  return found == host.devices.end() ? nullptr : &found->second;
}

const Vgpu* vgpu_on(const Host& host, const Device* function) {
  if (function == nullptr) return nullptr;
  auto found = host.nvidia.vgpus.find(function->name);
  return found == host.nvidia.vgpus.end() ? nullptr : &found->second;
}

int read_creatable(Host& host, const std::string& path, std::string& text) {
  Device* function = owner_of(host, path);
  if (function == nullptr) return -ENODEV;
  text = "ID    : vGPU Name\n";
  const auto& gpu = host.nvidia.gpus[gpu_name(host, *function)];
  for (const auto& type : gpu.types) {
    if (room_for(host, *function, type)) text += fmt::format("{:<6}: {}\n", type.id, type.name);
  }
  return 0;
}

int read_type(Host& host, const std::string& path, std::string& text) {
  const auto* vgpu = vgpu_on(host, owner_of(host, path));
  text = fmt::format("{}\n", vgpu == nullptr ? 0 : vgpu->type);
  return 0;
}

int read_placement(Host& host, const std::string& path, std::string& text) {
  const auto* vgpu = vgpu_on(host, owner_of(host, path));
  if (vgpu == nullptr || !vgpu->placement) return -ENXIO;
  text = fmt::format("{}\n", *vgpu->placement);
  return 0;
}

int read_instance(Host& host, const std::string& path, std::string& text) {
  const auto* vgpu = vgpu_on(host, owner_of(host, path));
  if (vgpu == nullptr || !vgpu->gpu_instance) return -ENXIO;
  text = fmt::format("{}\n", *vgpu->gpu_instance);
  return 0;
}

int read_params(Host& host, const std::string& path, std::string& text) {
  const Device* owner = owner_of(host, path);
  if (owner == nullptr) return -ENODEV;
  auto found = host.nvidia.vgpu_params.find(owner->name);
  text = (found == host.nvidia.vgpu_params.end() ? "" : found->second) + "\n";
  return 0;
}

/// A vGPU is there: the function can be opened through its group.
void show_node(Host& host, Device& function) {
  if (function.group.empty()) return;
  auto node = "/dev/vfio/" + function.group;
  host.put_file(node, "");
  host.put_file("/dev/vfio/vfio", "");
  if (std::ranges::find(function.nodes, node) == function.nodes.end())
    function.nodes.push_back(node);
}

void destroy(Host& host, Device& function) {
  auto node = "/dev/vfio/" + function.group;
  if (std::erase(function.nodes, node) > 0) host.tree.remove(node);
  forget_nvidia(host, function.name);
}

/// 0 destroys. A type that the driver does not know is EINVAL; one for which there is no room, by
/// whichever rule, or no GPU instance, is EIO, and the log has the driver's status.
int set_type(Call& call) {
  Host& host = call.host;
  Device* function = owner_of(host, call.path);
  auto id = text::to_number(call.word());
  if (!id) return -EINVAL;
  if (function == nullptr) return -ENODEV;
  if (is_held(host, *function)) return -EBUSY;
  if (*id == 0) {
    destroy(host, *function);
    return 0;
  }
  const auto* type = host.nvidia.gpus[gpu_name(host, *function)].type(static_cast<int>(*id));
  if (type == nullptr) return -EINVAL;
  auto vgpu = room_for(host, *function, *type);
  if (!vgpu) {
    host.log("NVRM: Failed to add vgpu create request: 0x38");
    return -EIO;
  }
  host.nvidia.vgpus[function->name] = *vgpu;
  show_node(host, *function);
  return 0;
}

/// Moves a vGPU that is not open to another of its type's placements.
int set_placement(Call& call) {
  Host& host = call.host;
  Device* function = owner_of(host, call.path);
  const auto* present = vgpu_on(host, function);
  auto wanted = text::to_number(call.word());
  if (!wanted) return -EINVAL;
  if (present == nullptr || !present->placement) return -ENXIO;
  if (is_held(host, *function)) return -EBUSY;
  auto gpu = gpu_name(host, *function);
  const auto* type = host.nvidia.gpus[gpu].type(present->type);
  auto start = static_cast<int>(*wanted);
  auto starts = placements_of(host, gpu, *type);
  if (std::ranges::find(starts, start) == starts.end()) return -EINVAL;
  int length = placement_length(host, gpu, *type);
  for (const auto& name : vgpus_of(host, gpu)) {
    const auto& other = host.nvidia.vgpus.at(name);
    if (name == function->name || !other.placement) continue;
    const auto* other_type = host.nvidia.gpus[gpu].type(other.type);
    int end = *other.placement + placement_length(host, gpu, *other_type);
    if (start < end && *other.placement < start + length) return -EBUSY;
  }
  host.nvidia.vgpus[function->name].placement = start;
  return 0;
}

/// The driver chooses the instance by the type; the file tells which it was.
int set_instance(Call& call) {
  const auto* vgpu = vgpu_on(call.host, owner_of(call.host, call.path));
  if (vgpu == nullptr || !vgpu->gpu_instance) return -ENXIO;
  return text::to_number(call.word()) == *vgpu->gpu_instance ? 0 : -EINVAL;
}

/// "key=value[,key=value...]", at most 1024 bytes, before the machine starts.
int set_params(Call& call) {
  constexpr std::size_t longest = 1024;
  Host& host = call.host;
  Device* owner = owner_of(host, call.path);
  auto params = call.word();
  if (owner == nullptr) return -ENODEV;
  if (params.size() > longest) return -EINVAL;
  if (owner->bus == "pci" && vgpu_on(host, owner) == nullptr) return -ENXIO;
  if (is_held(host, *owner)) return -EBUSY;
  for (auto pair : text::split(params, ',')) {
    auto equals = pair.find('=');
    if (!params.empty() && (equals == 0 || equals == std::string_view::npos)) return -EINVAL;
  }
  host.nvidia.vgpu_params[owner->name] = params;
  return 0;
}

int set_warm_update(Call& call) {
  auto value = call.word();
  if (value != "0" && value != "1") return -EINVAL;
  call.host.put_file(call.path, value + "\n");
  return 0;
}

constexpr auto readable = Behaviour::Readable::yes;
constexpr Behaviour vendor_vfio_table[] = {
    {"/sys/devices/**/nvidia/creatable_vgpu_types", nullptr, readable, read_creatable},
    {"/sys/devices/**/nvidia/current_vgpu_type", set_type, readable, read_type},
    {"/sys/devices/**/nvidia/placement_id", set_placement, readable, read_placement},
    {"/sys/devices/**/nvidia/gpu_instance_id", set_instance, readable, read_instance},
    {"/sys/devices/**/nvidia/vgpu_params", set_params, readable, read_params},
    {"/sys/devices/**/nvidia/warm_update", set_warm_update},
};

}  // namespace

std::span<const Behaviour> vendor_vfio_behaviours() {
  return vendor_vfio_table;
}

}  // namespace tessera::fakehost
