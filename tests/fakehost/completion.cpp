// SPDX-License-Identifier: Apache-2.0
// What a live kernel has beside what was recorded. Identity (ids, classes, groups) is never made
// up.
#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

using kernel::TreeNode;

constexpr std::string_view pci_devices = "/sys/bus/pci/devices";

bool is_address(std::string_view name) {
  auto dot = name.rfind('.');
  return std::ranges::count(name, ':') == 2 && dot != std::string_view::npos &&
         dot + 2 == name.size();
}

std::string root_bus(std::string_view name) {
  return fmt::format("/sys/devices/pci{}/{}", name.substr(0, name.rfind(':')), name);
}

/// Links in sysfs are relative; recordings may have them absolute.
void make_links_relative(Host& host, const std::string& directory) {
  auto* node = host.tree.find_no_follow(directory);
  for (auto& [name, child] : node->children) {
    auto path = directory + "/" + name;
    if (child->kind == TreeNode::Kind::link && child->content.starts_with('/'))
      child->content = relative_target(path, child->content);
    if (child->kind == TreeNode::Kind::directory) make_links_relative(host, path);
  }
}

/// A device's directory moves below /sys/devices, and a link stays where it was.
void move_device(Host& host, const std::string& where, const std::string& name) {
  const auto* node = host.tree.find_no_follow(where);
  if (node->kind == TreeNode::Kind::link) {
    host.put_directory(where);
    if (!host.tree.canonical(where).empty()) return;
    host.tree.remove(where);  // the link leads nowhere even now
    host.put_directory(where);
  }
  auto home = root_bus(name);
  auto moved = host.take(where);
  host.give(home, std::move(moved));
  host.put_link(where, home);
}

void add_missing(Host& host, const std::string& path, const std::string& content) {
  if (!host.exists(path)) host.put_file(path, content);
}

std::string modalias(const Host& host, const Device& device) {
  auto id = identity(host, device);
  if (!id.vendor || !id.device || host.text(device.path + "/class").empty()) return {};
  return fmt::format("pci:v{:08X}d{:08X}sv{:08X}sd{:08X}bc{:02X}sc{:02X}i{:02X}\n", *id.vendor,
                     *id.device, id.subvendor.value_or(0), id.subdevice.value_or(0),
                     id.class_code >> 16 & 0xff, id.class_code >> 8 & 0xff, id.class_code & 0xff);
}

void add_group(Host& host, Device& device) {
  device.group = host.link_name(device.path + "/iommu_group");
  if (device.group.empty()) return;
  auto group = "/sys/kernel/iommu_groups/" + device.group;
  auto member = group + "/devices/" + device.name;
  host.tree.remove(member);
  host.put_link(member, device.path);
  host.tree.remove(device.path + "/iommu_group");
  host.put_link(device.path + "/iommu_group", group);
  add_missing(host, group + "/type", "DMA-FQ\n");
  add_missing(host, group + "/reserved_regions", "0x00000000fee00000 0x00000000feefffff msi\n");
}

void add_sriov(Host& host, const Device& device) {
  if (!host.exists(device.path + "/sriov_totalvfs")) return;
  int present = 0;
  for (const auto& name : host.names(device.path)) present += name.starts_with("virtfn") ? 1 : 0;
  add_missing(host, device.path + "/sriov_numvfs", fmt::format("{}\n", present));
  add_missing(host, device.path + "/sriov_drivers_autoprobe", "1\n");
}

/// Notes "vf-files/VVVV:DDDD/PATH" say what a virtual function has that is not enabled yet.
void learn_vf_files(Host& host, const std::map<std::string, std::string>& notes) {
  constexpr std::string_view prefix = "vf-files/";
  for (const auto& [key, text] : notes) {
    if (!key.starts_with(prefix)) continue;
    auto id = key.substr(prefix.size(), key.find('/', prefix.size()) - prefix.size());
    auto path = key.substr(std::min(prefix.size() + id.size() + 1, key.size()));
    host.vf_files[id][path] = text;
  }
}

void copy_files(const Host& host, const std::string& top, const std::string& below,
                std::map<std::string, std::string>& files) {
  for (const auto& name : host.names(top + "/" + below)) {
    auto path = below + "/" + name;
    const auto* node = host.tree.find_no_follow(top + "/" + path);
    if (node->kind == TreeNode::Kind::file) files[path] = node->content;
    if (node->kind == TreeNode::Kind::directory) copy_files(host, top, path, files);
  }
}

/// Virtual functions that come back have what the recorded ones had.
void learn_from_recorded_vfs(Host& host) {
  for (const auto& [key, device] : host.devices) {
    auto id = id_text(host, device);
    if (!host.exists(device.path + "/virtfn0") || host.vf_files.contains(id)) continue;
    for (const char* folder : {"nvidia", "mdev_supported_types"})
      copy_files(host, device.path + "/virtfn0", folder, host.vf_files[id]);
    for (auto& [path, content] : host.vf_files[id]) {
      if (path.ends_with("/available_instances")) content = "1\n";
    }
  }
}

void add_mdev_types(Host& host, const Device& device) {
  auto types = device.path + "/mdev_supported_types";
  if (!host.exists(types)) return;
  for (const auto& type : host.names(types)) {
    host.put_file(types + "/" + type + "/create", "");
    host.put_directory(types + "/" + type + "/devices");
  }
}

/// A recording may hold some of the files only; warm_update came with later drivers.
void add_vendor_files(Host& host, const Device& device) {
  auto folder = device.path + "/nvidia/";
  if (!host.exists(folder + "current_vgpu_type")) return;
  for (const char* file :
       {"creatable_vgpu_types", "placement_id", "gpu_instance_id", "vgpu_params"})
    add_missing(host, folder + file, "");
}

void add_device(Host& host, const std::string& bus, const std::string& name) {
  Device device;
  device.bus = bus;
  device.name = name;
  device.path = host.tree.canonical(fmt::format("/sys/bus/{}/devices/{}", bus, name));
  if (device.path.empty()) return;
  device.usual_driver = bound_driver(host, device);
  add_missing(host, device.path + "/driver_override", "(null)\n");
  auto* override = host.tree.find(device.path + "/driver_override");
  if (!override->content.ends_with('\n')) override->content += '\n';
  add_missing(host, device.path + "/uevent", "");
  host.tree.remove(device.path + "/subsystem");
  host.put_link(device.path + "/subsystem", "/sys/bus/" + bus);
  if (bus == "pci") {
    add_missing(host, device.path + "/remove", "");
    add_missing(host, device.path + "/rescan", "");
    if (auto alias = modalias(host, device); !alias.empty())
      add_missing(host, device.path + "/modalias", alias);
    add_sriov(host, device);
    complete_driver_folders(host, device);
  }
  add_group(host, device);
  host.devices[bus + "/" + name] = std::move(device);
}

/// Members that were recorded only in their group are devices too, of unknown identity.
void add_group_members(Host& host) {
  for (const auto& group : host.names("/sys/kernel/iommu_groups")) {
    auto directory = fmt::format("/sys/kernel/iommu_groups/{}", group);
    for (const auto& name : host.names(directory + "/devices")) {
      auto place = fmt::format("{}/{}", pci_devices, name);
      if (!is_address(name)) continue;
      host.put_directory(place);
      if (host.link_name(place + "/iommu_group").empty())
        (void)host.tree.put_link(place + "/iommu_group", directory);  // kept if one is there
    }
  }
}

/// Parents recorded only in /sys/class/mdev_bus.
void add_mdev_parents(Host& host) {
  for (const auto& name : host.names("/sys/class/mdev_bus")) {
    auto place = fmt::format("/sys/class/mdev_bus/{}", name);
    if (!is_address(name) || host.tree.find_no_follow(place)->kind != TreeNode::Kind::directory)
      continue;
    move_device(host, place, name);
    host.put_link(fmt::format("{}/{}", pci_devices, name), root_bus(name));
  }
}

/// The platform device of a boot framebuffer that /proc/iomem names as claimed.
void add_boot_framebuffer(Host& host) {
  auto iomem = host.text("/proc/iomem");
  for (auto [claim, name] :
       {std::pair{"simpledrm", "simple-framebuffer"}, std::pair{"efifb", "efi-framebuffer"}}) {
    if (iomem.find(claim) == std::string::npos) continue;
    auto device = fmt::format("/sys/devices/platform/{}.0", name);
    auto link = fmt::format("/sys/bus/platform/devices/{}.0", name);
    if (host.exists(link)) continue;
    host.put_directory(device);
    host.put_link(link, device);
    host.put_link(device + "/driver", fmt::format("/sys/bus/platform/drivers/{}", name));
  }
}

bool is_built_in(std::string_view driver) {
  return driver == "pcieport" || driver.ends_with("-framebuffer");
}

Driver& driver_named(Host& host, const std::string& bus, const std::string& name) {
  auto key = bus + "/" + name;
  auto [entry, fresh] = host.drivers.try_emplace(key);
  Driver& driver = entry->second;
  if (!fresh) return driver;
  driver.bus = bus;
  driver.name = name;
  if (is_built_in(name)) return driver;
  driver.module = host.link_name(fmt::format("/sys/bus/{}/drivers/{}/module", bus, name));
  if (driver.module.empty()) driver.module = name;
  std::ranges::replace(driver.module, '-', '_');
  host.modules[driver.module].drivers.push_back(key);
  return driver;
}

/// Each device's recorded driver is the one that matches its ids from now on. What VFIO has was
/// given to it by somebody, so it matches nothing by itself.
void learn_drivers(Host& host) {
  for (const char* bus : {"pci", "platform"}) {
    for (const auto& name : host.names(fmt::format("/sys/bus/{}/drivers", bus)))
      driver_named(host, bus, name);
  }
  for (auto& [key, device] : host.devices) {
    if (device.usual_driver.empty()) continue;
    Driver& driver = driver_named(host, device.bus, device.usual_driver);
    if (is_vfio_driver(driver.name)) {
      device.usual_driver.clear();
      continue;
    }
    auto id = identity(host, device);
    if (!id.vendor || !id.device) {
      driver.addresses.insert(device.name);
      continue;
    }
    id.class_code = 0;
    id.subvendor.reset();
    id.subdevice.reset();
    if (std::ranges::find(driver.ids, id) == driver.ids.end()) driver.ids.push_back(id);
  }
}

std::string release(const Host& host) {
  return host.text("/proc/sys/kernel/osrelease");
}

std::string alias_table(const Host& host) {
  std::string table;
  for (const auto& [key, driver] : host.drivers) {
    for (const auto& id : driver.module.empty() ? std::vector<PciId>{} : driver.ids)
      table += fmt::format("alias pci:v{:08X}d{:08X}sv*sd*bc*sc*i* {}\n", id.vendor.value_or(0),
                           id.device.value_or(0), driver.module);
  }
  return table + "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n";
}

void learn_variant_drivers(Host& host, std::string_view aliases) {
  for (auto line : text::lines(aliases)) {
    auto words = text::words(line);
    if (words.size() != 3 || !words[1].starts_with("vfio_pci:") || words[2] == "vfio_pci") continue;
    std::string module(words[2]);
    driver_named(host, "pci", module);
    host.modules[module].needs = {"vfio_pci_core"};
  }
}

void add_modules(Host& host) {
  auto table = fmt::format("/lib/modules/{}/modules.alias", release(host));
  driver_named(host, "pci", "vfio-pci");
  driver_named(host, "pci", "pci-stub");
  add_missing(host, table, alias_table(host));
  learn_variant_drivers(host, host.tree.find(table)->content);
  for (const char* file : {"modules.builtin", "modules.dep", "modules.softdep"})
    add_missing(host, fmt::format("/lib/modules/{}/{}", release(host), file), "");
  host.modules["vfio"];
  host.modules["vfio_iommu_type1"].needs = {"vfio"};
  host.modules["vfio_pci_core"].needs = {"vfio"};
  host.modules["vfio_pci"].needs = {"vfio_pci_core", "vfio_iommu_type1"};
  host.modules["mdev"];
  host.modules["vfio_mdev"].needs = {"mdev", "vfio"};
  for (const char* name : {"kvm", "kvm_amd", "kvm_intel", "irqbypass"}) host.modules[name];
  for (const auto& name : host.names("/sys/module")) host.modules[name];
}

/// Binds again what was recorded as bound, so that the driver's directory and nodes are complete.
void bind_recorded(Host& host, const std::vector<std::string>& registered) {
  std::vector<std::pair<std::string, std::string>> bindings;
  for (auto& [key, device] : host.devices) {
    if (auto driver = bound_driver(host, device); !driver.empty())
      bindings.emplace_back(key, device.bus + "/" + driver);
    host.tree.remove(device.path + "/driver");
  }
  for (const auto& key : registered)
    host.tree.remove(
        fmt::format("/sys/bus/{}/drivers/{}", host.drivers[key].bus, host.drivers[key].name));
  for (const auto& module : host.names("/sys/module")) (void)load_module(host, module);  // known
  for (const auto& key : registered) {
    const Driver& driver = host.drivers[key];
    if (!driver.module.empty()) (void)load_module(host, driver.module);  // known as well
    register_driver(host, key);
  }
  for (const auto& [device, key] : bindings)
    (void)attach(host, host.devices[device], host.drivers[key]);  // a refusal is logged
}

void add_proc_and_controls(Host& host, const kernel::Recording& recording) {
  add_missing(host, "/proc/cmdline", "\n");
  add_missing(host, "/proc/sys/kernel/osrelease", "6.1.0\n");
  add_missing(host, "/proc/cpuinfo", "processor\t: 0\n");
  add_missing(host, "/proc/iomem", "");
  add_missing(host, "/proc/modules", "");
  add_missing(host, "/dev/kvm", "");
  for (const char* place :
       {"/etc", "/dev", "/lib/modules", "/sys/module", "/sys/class", "/sys/bus/pci/drivers",
        "/sys/bus/pci/devices", "/proc", "/boot", "/usr"})
    host.put_directory(place);
  for (const char* file : {"uevents", "kmsg", "modprobe", "signal", "faults", "writes"})
    host.put_file(fmt::format("/.rehearsal/{}", file), "");
  for (const char* bus : {"pci", "platform"})
    host.put_file(fmt::format("/sys/bus/{}/drivers_probe", bus), "");
  host.put_file("/sys/bus/pci/rescan", "");
  for (const auto& note : recording.notes) {
    if (note.key == "dmesg") host.log(note.text);
  }
}

}  // namespace

void complete_driver_folders(Host& host, const Device& device) {
  add_mdev_types(host, device);
  add_vendor_files(host, device);
  complete_xe(host, device);
}

void complete(Host& host, const kernel::Recording& recording) {
  std::map<std::string, std::string> notes;
  for (const auto& note : recording.notes) notes.emplace(note.key, note.text);
  host.put_directory("/sys");
  add_proc_and_controls(host, recording);
  add_mdev_parents(host);
  add_boot_framebuffer(host);
  add_group_members(host);
  for (const auto& name : host.names(pci_devices))
    move_device(host, fmt::format("{}/{}", pci_devices, name), name);
  make_links_relative(host, "/sys");
  for (const char* bus : {"pci", "platform"}) {
    for (const auto& name : host.names(fmt::format("/sys/bus/{}/devices", bus)))
      add_device(host, bus, name);
  }
  learn_vf_files(host, notes);
  for (const auto& [key, text] : notes) {
    if (key.starts_with("xe-vram-for-vfs/")) host.memory[key] = text;
  }
  learn_from_recorded_vfs(host);
  learn_drivers(host);
  std::vector<std::string> registered;
  for (const auto& [key, driver] : host.drivers) registered.push_back(key);
  add_modules(host);
  host.autoprobe = false;
  bind_recorded(host, registered);
  host.autoprobe = true;
  learn_nvidia(host, notes);
  adopt_mediated_devices(host);
  install_nvidia_tools(host);
}

}  // namespace tessera::fakehost
