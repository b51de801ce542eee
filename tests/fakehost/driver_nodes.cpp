// SPDX-License-Identifier: Apache-2.0
// What a bound driver makes beside its link: class devices and nodes in /dev.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/host.h"

namespace tessera::fakehost {

namespace {

/// Directories below a device that belong to its driver.
constexpr std::array driver_directories = {
    "drm",   "sound",    "graphics",    "hwmon",     "mdev_supported_types",
    "net",   "nvidia",   "nvme",        "backlight", "infiniband",
    "block", "vfio-dev", "sriov_admin",
};

constexpr std::array drm_drivers = {"amdgpu",  "ast",    "bochs-drm", "i915", "mgag200",
                                    "nouveau", "radeon", "xe",        "qxl",  "virtio-pci"};

template <typename List>
bool contains(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

bool is_display(const Host& host, const Device& device) {
  auto code = host.text(device.path + "/class");
  return code.starts_with("0x03") || code.starts_with("0x12");
}

void add_node(Host& host, Device& device, const std::string& node) {
  host.put_file(node, "");
  if (!contains(device.nodes, node)) device.nodes.push_back(node);
}

/// The lowest drm or sound number that no device of the host uses.
int free_class_number(const Host& host, std::string_view class_name) {
  return host.free_number(fmt::format("/sys/class/{}", class_name), "card");
}

void add_class_device(Host& host, Device& device, std::string_view class_name,
                      const std::string& name) {
  auto path = fmt::format("{}/{}/{}", device.path, class_name, name);
  host.put_directory(path);
  host.put_link(path + "/device", device.path);
  host.put_link(fmt::format("/sys/class/{}/{}", class_name, name), path);
}

void make_drm(Host& host, Device& device, std::string_view driver) {
  bool known = contains(drm_drivers, driver) && is_display(host, device);
  if (known && !host.exists(device.path + "/drm")) {
    int card = free_class_number(host, "drm");
    add_class_device(host, device, "drm", fmt::format("card{}", card));
    add_class_device(host, device, "drm", fmt::format("renderD{}", 128 + card));
  }
  for (const auto& name : host.names(device.path + "/drm")) {
    if (!name.starts_with("card") && !name.starts_with("renderD")) continue;
    if (name.find('-') != std::string::npos) continue;
    add_class_device(host, device, "drm", name);
    add_node(host, device, "/dev/dri/" + name);
  }
}

void make_sound(Host& host, Device& device, std::string_view driver) {
  if (driver == "snd_hda_intel" && !host.exists(device.path + "/sound"))
    add_class_device(host, device, "sound",
                     fmt::format("card{}", free_class_number(host, "sound")));
  for (const auto& name : host.names(device.path + "/sound")) {
    if (!name.starts_with("card")) continue;
    add_class_device(host, device, "sound", name);
    add_node(host, device, "/dev/snd/controlC" + name.substr(4));
  }
}

void make_nvidia(Host& host, Device& device) {
  if (!is_display(host, device) || host.exists(device.path + "/physfn")) return;
  int minor = host.free_number("/dev", "nvidia");
  add_node(host, device, fmt::format("/dev/nvidia{}", minor));
  host.put_file("/dev/nvidiactl", "");
  auto file = fmt::format("/proc/driver/nvidia/gpus/{}/information", device.name);
  auto& model = host.memory["model of " + device.name];  // as it was recorded
  auto recorded = host.text(file);
  for (auto line : text::lines(recorded)) {
    if (line.starts_with("Model:")) model = fmt::format("{}\n", line);
  }
  host.put_file(
      file, fmt::format("{}Bus Location: \t {}\nDevice Minor: \t {}\n", model, device.name, minor));
}

void make_vfio(Host& host, Device& device) {
  add_node(host, device, "/dev/vfio/" + device.group);
  host.put_file("/dev/vfio/vfio", "");
  int number = 0;
  while (host.exists(fmt::format("/sys/class/vfio-dev/vfio{}", number))) ++number;
  add_class_device(host, device, "vfio-dev", fmt::format("vfio{}", number));
}

void make_mdev_parent(Host& host, Device& device) {
  if (host.exists(device.path + "/mdev_supported_types"))
    host.put_link("/sys/class/mdev_bus/" + device.name, device.path);
}

/// A group's node stays while another device of the group is with VFIO.
bool is_shared(const Host& host, const Device& device, const std::string& node) {
  return std::ranges::any_of(host.devices, [&](const auto& entry) {
    return &entry.second != &device && contains(entry.second.nodes, node);
  });
}

void remove_class_links(Host& host, const Device& device, const std::string& class_name) {
  for (const auto& name : host.names(device.path + "/" + class_name))
    host.tree.remove(fmt::format("/sys/class/{}/{}", class_name, name));
}

/// The framebuffer driver's claim in /proc/iomem ends; the BOOTFB line stays, as in Linux 6.1.
void drop_framebuffer_claim(Host& host, std::string_view driver) {
  auto* iomem = host.tree.find("/proc/iomem");
  if (iomem == nullptr) return;
  auto claim = driver == "simple-framebuffer" ? "simpledrm" : "efifb";
  host.memory["iomem with " + std::string(driver)] = iomem->content;
  std::string kept;
  for (auto line : text::lines(iomem->content)) {
    if (!line.ends_with(claim)) kept += fmt::format("{}\n", line);
  }
  iomem->content = kept;
}

void renew_framebuffer_claim(Host& host, std::string_view driver) {
  auto found = host.memory.find("iomem with " + std::string(driver));
  if (found != host.memory.end()) host.put_file("/proc/iomem", found->second);
}

}  // namespace

void make_driver_files(Host& host, Device& device, std::string_view driver) {
  if (is_vfio_driver(driver)) return make_vfio(host, device);
  if (driver == device.usual_driver) {
    for (auto& [name, node] : device.put_away) host.give(device.path + "/" + name, std::move(node));
    device.put_away.clear();
  }
  if (device.bus == "platform") renew_framebuffer_claim(host, driver);
  make_drm(host, device, driver);
  make_sound(host, device, driver);
  if (driver == "nvidia") make_nvidia(host, device);
  make_mdev_parent(host, device);
}

void put_driver_folders_away(Host& host, Device& device) {
  for (const std::string name : driver_directories) {
    if (auto node = host.take(device.path + "/" + name)) device.put_away[name] = std::move(node);
  }
}

void take_driver_files(Host& host, Device& device, std::string_view driver) {
  forget_nvidia(host, device.name);
  for (const std::string name : driver_directories) {
    if (!host.exists(device.path + "/" + name)) continue;
    remove_class_links(host, device, name);
    auto node = host.take(device.path + "/" + name);
    if (driver == device.usual_driver) device.put_away[name] = std::move(node);
  }
  host.tree.remove("/sys/class/mdev_bus/" + device.name);
  host.tree.remove("/proc/driver/nvidia/gpus/" + device.name);
  for (const auto& node : device.nodes) {
    if (!is_shared(host, device, node)) host.tree.remove(node);
  }
  device.nodes.clear();
  if (device.bus == "platform") drop_framebuffer_claim(host, driver);
}

}  // namespace tessera::fakehost
