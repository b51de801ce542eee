// SPDX-License-Identifier: Apache-2.0
// Mediated devices: create, remove, available_instances.
// Documentation/ABI/testing/sysfs-bus-vfio-mdev; drivers/vfio/mdev of Linux 6.1.
#include <algorithm>
#include <cctype>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

constexpr std::string_view types_directory = "mdev_supported_types";

bool is_uuid(std::string_view word) {
  constexpr std::size_t length = 36;
  if (word.size() != length) return false;
  for (std::size_t i = 0; i < length; ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool fine = dash ? word[i] == '-' : std::isxdigit(static_cast<unsigned char>(word[i])) != 0;
    if (!fine) return false;
  }
  return true;
}

int available(const Host& host, const std::string& type) {
  auto value = text::to_number(host.text(type + "/available_instances"));
  return value ? static_cast<int>(*value) : 0;
}

/// "framebuffer=4096M" of a type's description; empty when it says none.
std::string framebuffer(const Host& host, const std::string& type) {
  auto text = host.text(type + "/description");
  auto start = text.find("framebuffer=");
  if (start == std::string::npos) return {};
  return text.substr(start, text.find(',', start) - start);
}

/// How many of a type the parent takes when it is empty: what it said before the first mdev.
int capacity(const Host& host, const std::string& type) {
  auto found = host.memory.find("mdev capacity " + type);
  return found == host.memory.end() ? available(host, type) : std::stoi(found->second);
}

struct Use {
  int count = 0;            ///< of this type
  double share = 0;         ///< of the parent that all its mdevs take, 1 is all
  std::string framebuffer;  ///< of one of them
};

Use use_of(Host& host, const Device& parent, const std::string& type) {
  Use use;
  for (const auto& [key, device] : host.devices) {
    if (device.bus != "mdev" || !device.path.starts_with(parent.path + "/")) continue;
    auto own = host.tree.canonical(device.path + "/mdev_type");
    use.count += own == type ? 1 : 0;
    int most = capacity(host, own);
    use.share += most > 0 ? 1.0 / most : 1.0;
    use.framebuffer = framebuffer(host, own);
  }
  return use;
}

/// NVIDIA's default is equal sizes: after the first, types of another framebuffer size show 0.
/// Everywhere else, and among equal sizes, what is left of the parent decides.
void recount(Host& host, const Device& parent) {
  auto directory = fmt::format("{}/{}", parent.path, types_directory);
  for (const auto& name : host.names(directory)) {
    auto type = directory + "/" + name;
    int most = capacity(host, type);
    host.memory["mdev capacity " + type] = std::to_string(most);
    auto use = use_of(host, parent, type);
    constexpr double rounding = 1e-9;
    int left = static_cast<int>((1.0 - use.share) * most + rounding);
    bool other_size = !use.framebuffer.empty() && use.framebuffer != framebuffer(host, type);
    if (name.starts_with("nvidia-") && other_size) left = 0;
    host.put_file(type + "/available_instances", fmt::format("{}\n", std::max(left, 0)));
  }
}

void put_mdev(Host& host, Device& parent, const std::string& type, const std::string& uuid) {
  Device device;
  device.bus = "mdev";
  device.name = uuid;
  device.path = parent.path + "/" + uuid;
  device.usual_driver = "vfio_mdev";
  device.group = std::to_string(host.free_number("/sys/kernel/iommu_groups", ""));
  host.put_directory(device.path);
  host.put_file(device.path + "/remove", "");
  host.put_file(device.path + "/uevent", "");
  host.put_link(device.path + "/mdev_type", type);
  host.put_link(device.path + "/subsystem", "/sys/bus/mdev");
  host.put_link("/sys/bus/mdev/devices/" + uuid, device.path);
  host.put_link(type + "/devices/" + uuid, device.path);
  auto group = "/sys/kernel/iommu_groups/" + device.group;
  host.put_link(group + "/devices/" + uuid, device.path);
  host.put_file(group + "/type", "unmanaged\n");
  host.put_link(device.path + "/iommu_group", group);
  Device& present = host.devices["mdev/" + uuid] = std::move(device);
  host.put_file("/dev/vfio/" + present.group, "");
  present.nodes.push_back("/dev/vfio/" + present.group);
  host.log(fmt::format("vfio_mdev {}: Adding to iommu group {}", uuid, present.group));
  host.uevent("add", present);
}

int create(Call& call) {
  Host& host = call.host;
  auto type = call.path.substr(0, call.path.rfind('/'));
  auto parent_path = type.substr(0, type.find(fmt::format("/{}/", types_directory)));
  auto parent = std::ranges::find_if(
      host.devices, [&](const auto& entry) { return entry.second.path == parent_path; });
  auto uuid = call.word();
  std::ranges::transform(uuid, uuid.begin(), [](unsigned char c) { return std::tolower(c); });
  if (!is_uuid(uuid)) return -EINVAL;
  if (parent == host.devices.end()) return -ENODEV;
  if (host.device("mdev", uuid) != nullptr) return -EEXIST;
  recount(host, parent->second);
  if (available(host, type) == 0) return -EUSERS;
  put_mdev(host, parent->second, type, uuid);
  recount(host, parent->second);
  return 0;
}

constexpr Behaviour table[] = {
    {"/sys/devices/**/mdev_supported_types/*/create", create, Behaviour::Readable::no},
};

}  // namespace

std::span<const Behaviour> mdev_behaviours() {
  return table;
}

int remove_mediated_device(Call& call, std::string uuid) {
  Host& host = call.host;
  Device* device = host.device("mdev", uuid);
  if (device != nullptr && is_held(host, *device)) {
    host.log(fmt::format("vfio_mdev {}: Relaying device request to user (#0)", uuid));
    auto released = [&] {
      device = host.device("mdev", uuid);
      return device == nullptr || !is_held(host, *device);
    };
    if (!host.wait(call.lock, released)) return -EINTR;
  }
  if (device == nullptr) return -ENODEV;
  for (const auto& node : device->nodes) host.tree.remove(node);
  auto type = host.tree.canonical(device->path + "/mdev_type");
  auto parent_path = device->path.substr(0, device->path.rfind('/'));
  host.tree.remove(type + "/devices/" + uuid);
  if (int error = remove_device(call, "mdev", uuid, Keep::no); error != 0) return error;
  for (const auto& [key, parent] : host.devices) {
    if (parent.path == parent_path) recount(host, parent);
  }
  return 0;
}

// A copy: the name may be the device's own, which goes away. NOLINTNEXTLINE(performance-*)
int remove_mediated_devices(Call& call, std::string parent) {
  Host& host = call.host;
  Device* owner = host.device("pci", parent);
  if (owner == nullptr) return 0;
  auto path = owner->path + "/";
  std::vector<std::string> uuids;
  for (const auto& [key, device] : host.devices) {
    if (device.bus == "mdev" && device.path.starts_with(path)) uuids.push_back(device.name);
  }
  for (const auto& uuid : uuids) {
    if (int error = remove_mediated_device(call, uuid); error != 0 && error != -ENODEV)
      return error;
  }
  return 0;
}

}  // namespace tessera::fakehost
