// SPDX-License-Identifier: Apache-2.0
// remove and rescan of PCI devices.
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

/// kstrtoul(): a number and at most one newline.
std::optional<std::uint64_t> switch_value(const Call& call) {
  return text::to_number(call.word());
}

int remove(Call& call) {
  auto value = switch_value(call);
  Device* device = call.device();
  if (!value) return -EINVAL;
  if (device == nullptr) return -ENODEV;
  if (*value == 0) return 0;
  if (device->bus == "mdev") return remove_mediated_device(call, device->name);
  return remove_device(call, device->bus, device->name, Keep::for_rescan);
}

void bring_back(Host& host, RemovedDevice removed) {
  Device device = std::move(removed.device);
  host.give(device.path, std::move(removed.directory));
  host.put_file(device.path + "/driver_override", "(null)\n");
  host.put_link("/sys/bus/pci/devices/" + device.name, device.path);
  if (!device.group.empty()) {
    auto group = "/sys/kernel/iommu_groups/" + device.group;
    host.put_link(group + "/devices/" + device.name, device.path);
    host.put_link(device.path + "/iommu_group", group);
    if (!host.exists(group + "/type")) host.put_file(group + "/type", "DMA-FQ\n");
  }
  auto key = "pci/" + device.name;
  Device& present = host.devices[key] = std::move(device);
  host.log(fmt::format("pci {}: [rescanned]", present.name));
  host.uevent("add", present);
  probe(host, present);
}

/// Bridges come back before what is below them: their paths are shorter.
int rescan(Call& call) {
  auto value = switch_value(call);
  if (!value) return -EINVAL;
  if (*value == 0) return 0;
  std::map<std::string, std::string> by_path;
  for (const auto& [name, removed] : call.host.removed) by_path[removed.device.path] = name;
  for (const auto& [path, name] : by_path)
    bring_back(call.host, std::move(call.host.removed.extract(name).mapped()));
  return 0;
}

constexpr Behaviour pci_hotplug_table[] = {
    {"/sys/devices/**/remove", remove, Behaviour::Readable::no},
    {"/sys/devices/**/rescan", rescan, Behaviour::Readable::no},
    {"/sys/bus/pci/rescan", rescan, Behaviour::Readable::no},
};

}  // namespace

std::span<const Behaviour> pci_hotplug_behaviours() {
  return pci_hotplug_table;
}

int remove_device(Call& call, std::string bus, std::string name, Keep keep) {
  Host& host = call.host;
  Device* device = host.device(bus, name);
  if (device == nullptr) return 0;
  auto path = device->path;
  for (;;) {  // what is below it goes first
    std::string below_bus;
    std::string below;
    for (const auto& [key, other] : host.devices) {
      if (!other.path.starts_with(path + "/") || other.bus == "mdev") continue;
      below_bus = other.bus;
      below = other.name;
    }
    if (below.empty()) break;
    if (int error = remove_device(call, below_bus, below, keep); error != 0) return error;
  }
  if (!bound_driver(host, *device).empty()) {
    if (int error = unbind(call, bus, name); error != 0) return error;
  }
  device = host.device(bus, name);
  if (device == nullptr) return 0;
  host.tree.remove(fmt::format("/sys/bus/{}/devices/{}", bus, name));
  if (!device->group.empty()) {
    auto group = "/sys/kernel/iommu_groups/" + device->group;
    host.tree.remove(group + "/devices/" + name);
    if (host.names(group + "/devices").empty()) host.tree.remove(group);
  }
  host.uevent("remove", *device);
  auto taken = std::move(host.devices.extract(fmt::format("{}/{}", bus, name)).mapped());
  auto directory = host.take(taken.path);
  if (keep == Keep::for_rescan && bus == "pci")
    host.removed[name] = RemovedDevice{std::move(taken), std::move(directory)};
  return 0;
}

}  // namespace tessera::fakehost
