// SPDX-License-Identifier: Apache-2.0
// Drivers and devices of a bus: bind, unbind, driver_override, drivers_probe, new_id, remove_id.
// What answers what is drivers/base/{bus,dd,driver}.c and drivers/pci/pci-driver.c of Linux 6.1.
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

constexpr std::string_view no_override = "(null)";

std::string driver_directory(const Driver& driver) {
  return fmt::format("/sys/bus/{}/drivers/{}", driver.bus, driver.name);
}

bool is_registered(const Host& host, const Driver& driver) {
  return host.exists(driver_directory(driver));
}

Driver* driver_of(Call& call) {
  auto found = call.host.drivers.find(call.stars[0] + "/" + call.stars[1]);
  return found == call.host.drivers.end() ? nullptr : &found->second;
}

std::optional<std::uint32_t> id_in(const Host& host, const std::string& path) {
  auto value = text::to_number(host.text(path), 16);
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::string override_of(const Host& host, const Device& device) {
  auto value = host.text(device.path + "/driver_override");
  return value == no_override ? "" : value;
}

/// The reasons a VFIO driver's probe refuses a device.
int vfio_probe(const Host& host, const Device& device) {
  if (device.group.empty()) return -EINVAL;
  bool is_bridge = host.text(device.path + "/class").starts_with("0x0604");
  return is_bridge ? -EINVAL : 0;
}

/// bind_store(): -ENODEV when there is no such device or the driver does not match it. A device
/// that matches and has a driver is -EBUSY since 5.12 (device_driver_attach()); before it was
/// -ENODEV. The answer of a failed probe is passed on.
int bind(Call& call) {
  Driver* driver = driver_of(call);
  Device* device = call.host.device(call.stars[0], call.word());
  if (driver == nullptr || device == nullptr || !matches(call.host, *driver, *device))
    return -ENODEV;
  if (!bound_driver(call.host, *device).empty()) return -EBUSY;
  return attach(call.host, *device, *driver);
}

/// unbind_store(): -ENODEV unless the device is bound to this very driver.
int unbind_from(Call& call) {
  Device* device = call.host.device(call.stars[0], call.word());
  if (device == nullptr || bound_driver(call.host, *device) != call.stars[1]) return -ENODEV;
  return unbind(call, call.stars[0], device->name);
}

/// drivers_probe_store(): -ENODEV for an unknown device; success whether or not a driver took it.
int drivers_probe(Call& call) {
  Device* device = call.host.device(call.stars[0], call.word());
  if (device == nullptr) return -ENODEV;
  if (bound_driver(call.host, *device).empty()) probe(call.host, *device);
  return 0;
}

/// driver_set_override(): a page less one is too long; the name ends at the first newline; an
/// empty name clears.
int set_override(Call& call) {
  constexpr std::size_t limit = 4095;
  if (call.text.size() >= limit) return -EINVAL;
  auto name = call.text.substr(0, call.text.find('\0'));
  name = name.substr(0, name.find('\n'));
  call.host.put_file(call.path, (name.empty() ? std::string(no_override) : name) + "\n");
  return 0;
}

/// sscanf("%x %x %x %x %x %x"): hexadecimal words; "10de:1db4" ends after its first number.
int parse_id(const std::string& written, PciId& id) {
  unsigned vendor = 0;
  unsigned device = 0;
  unsigned subvendor = 0;
  unsigned subdevice = 0;
  // As the kernel's new_id_store() reads it. NOLINTNEXTLINE(cert-err34-c)
  int count = std::sscanf(written.c_str(), "%x %x %x %x %x %x", &vendor, &device, &subvendor,
                          &subdevice, &id.class_code, &id.class_mask);
  if (count >= 1) id.vendor = vendor;
  if (count >= 2) id.device = device;
  if (count >= 3 && subvendor != ~0U) id.subvendor = subvendor;
  if (count >= 4 && subdevice != ~0U) id.subdevice = subdevice;
  return count;
}

int new_id(Call& call) {
  Driver* driver = driver_of(call);
  PciId id;
  if (driver == nullptr || parse_id(call.text, id) < 2) return -EINVAL;
  auto known = [&](const std::vector<PciId>& ids) {
    return std::ranges::any_of(ids, [&](auto& entry) { return entry.covers(id); });
  };
  if (known(driver->dynamic_ids) || known(driver->ids)) return -EEXIST;
  driver->dynamic_ids.push_back(id);
  for (auto& [key, device] : call.host.devices) {
    if (device.bus != driver->bus || !bound_driver(call.host, device).empty()) continue;
    if (matches(call.host, *driver, device)) (void)attach(call.host, device, *driver);  // as Linux
  }
  return 0;
}

int remove_id(Call& call) {
  Driver* driver = driver_of(call);
  PciId id;
  if (driver == nullptr || parse_id(call.text, id) < 2) return -EINVAL;
  auto found = std::ranges::find_if(driver->dynamic_ids, [&](auto& entry) {
    return entry.vendor == id.vendor && entry.device == id.device;
  });
  if (found == driver->dynamic_ids.end()) return -ENODEV;
  driver->dynamic_ids.erase(found);
  return 0;
}

using Readable = Behaviour::Readable;
constexpr Behaviour driver_core_table[] = {
    {"/sys/bus/*/drivers/*/bind", bind, Readable::no},
    {"/sys/bus/*/drivers/*/unbind", unbind_from, Readable::no},
    {"/sys/bus/*/drivers/*/new_id", new_id, Readable::no},
    {"/sys/bus/*/drivers/*/remove_id", remove_id, Readable::no},
    {"/sys/bus/*/drivers_probe", drivers_probe, Readable::no},
    {"/sys/devices/**/driver_override", set_override, Readable::yes},
};

}  // namespace

std::span<const Behaviour> driver_core_behaviours() {
  return driver_core_table;
}

bool PciId::covers(const PciId& identity) const {
  auto same = [](auto wanted, auto actual) { return !wanted || wanted == actual; };
  return same(vendor, identity.vendor) && same(device, identity.device) &&
         same(subvendor, identity.subvendor) && same(subdevice, identity.subdevice) &&
         ((class_code ^ identity.class_code) & class_mask) == 0;
}

bool is_vfio_driver(std::string_view driver) {
  return driver == "vfio-pci" || driver.ends_with("-vfio-pci") || driver.ends_with("_vfio_pci");
}

PciId identity(const Host& host, const Device& device) {
  PciId id;
  id.vendor = id_in(host, device.path + "/vendor");
  id.device = id_in(host, device.path + "/device");
  id.subvendor = id_in(host, device.path + "/subsystem_vendor");
  id.subdevice = id_in(host, device.path + "/subsystem_device");
  id.class_code = id_in(host, device.path + "/class").value_or(0);
  return id;
}

std::string bound_driver(const Host& host, const Device& device) {
  return host.link_name(device.path + "/driver");
}

std::string id_text(const Host& host, const Device& device) {
  auto id = identity(host, device);
  return fmt::format("{:04x}:{:04x}", id.vendor.value_or(0), id.device.value_or(0));
}

bool matches(const Host& host, const Driver& driver, const Device& device) {
  if (driver.bus != device.bus) return false;
  auto wanted = override_of(host, device);
  if (!wanted.empty()) return wanted == driver.name;
  auto id = identity(host, device);
  auto covers = [&](const PciId& entry) { return entry.covers(id); };
  return std::ranges::any_of(driver.dynamic_ids, covers) ||
         std::ranges::any_of(driver.ids, covers) || driver.addresses.contains(device.name);
}

int attach(Host& host, Device& device, const Driver& driver) {
  int refused = is_vfio_driver(driver.name) ? vfio_probe(host, device) : 0;
  if (refused != 0) {
    host.log(
        fmt::format("{}: probe of {} failed with error {}", driver.name, device.name, refused));
    return refused;
  }
  host.put_link(device.path + "/driver", driver_directory(driver));
  host.put_link(driver_directory(driver) + "/" + device.name, device.path);
  make_driver_files(host, device, driver.name);
  host.uevent("bind", device, driver.name);
  return 0;
}

void probe(Host& host, Device& device) {
  std::vector<const Driver*> in_order;
  for (const auto& [key, driver] : host.drivers) {
    if (is_registered(host, driver) && matches(host, driver, device)) in_order.push_back(&driver);
  }
  std::ranges::sort(in_order, {}, &Driver::order);
  for (const auto* driver : in_order) {
    if (attach(host, device, *driver) == 0) return;
  }
}

void detach(Host& host, Device& device) {
  auto driver = bound_driver(host, device);
  if (driver.empty()) return;
  take_driver_files(host, device, driver);
  host.tree.remove(device.path + "/driver");
  host.tree.remove(fmt::format("/sys/bus/{}/drivers/{}/{}", device.bus, driver, device.name));
  host.uevent("unbind", device);
}

/// VFIO asks the user of the device to let go and then waits; NVIDIA's driver waits for its last
/// open file. Measured and reported: for ever, if nobody lets go.
int unbind(Call& call, std::string bus, std::string name) {
  Host& host = call.host;
  Device* device = host.device(bus, name);
  auto driver = device == nullptr ? "" : bound_driver(host, *device);
  bool waits = is_vfio_driver(driver) || driver == "nvidia" || driver == "vfio_mdev";
  if (waits && is_held(host, *device)) {
    host.log(
        driver == "nvidia"
            ? fmt::format("NVRM: Attempting to remove device {} with non-zero usage count!", name)
            : fmt::format("vfio-pci {}: Relaying device request to user (#0)", name));
    auto released = [&] {
      device = host.device(bus, name);
      return device == nullptr || !is_held(host, *device);
    };
    if (!host.wait(call.lock, released)) return -EINTR;
  }
  if (device == nullptr || bound_driver(host, *device) != driver) return -ENODEV;
  if (int error = remove_mediated_devices(call, name); error != 0) return error;
  if (int error = remove_virtual_functions(call, name); error != 0) return error;
  if (device = host.device(bus, name); device != nullptr) detach(host, *device);
  return 0;
}

void register_driver(Host& host, std::string_view key) {
  auto found = host.drivers.find(std::string(key));
  if (found == host.drivers.end() || is_registered(host, found->second)) return;
  static int order = 1000;
  Driver& driver = found->second;
  driver.order = order++;
  auto directory = driver_directory(driver);
  for (const char* file : {"bind", "unbind", "uevent"}) host.put_file(directory + "/" + file, "");
  if (driver.bus == "pci") {
    for (const char* file : {"new_id", "remove_id"}) host.put_file(directory + "/" + file, "");
  }
  if (!driver.module.empty()) {
    auto module = "/sys/module/" + driver.module;
    host.put_link(directory + "/module", module);
    host.put_link(fmt::format("{}/drivers/{}:{}", module, driver.bus, driver.name), directory);
  }
  if (!host.autoprobe) return;
  for (auto& [name, device] : host.devices) {
    if (bound_driver(host, device).empty() && matches(host, driver, device))
      (void)attach(host, device, driver);  // a refused probe is logged, as the kernel does
  }
}

void unregister_driver(Host& host, std::string_view key) {
  auto found = host.drivers.find(std::string(key));
  if (found == host.drivers.end()) return;
  Driver& driver = found->second;
  for (auto& [name, device] : host.devices) {
    if (device.bus == driver.bus && bound_driver(host, device) == driver.name) detach(host, device);
  }
  driver.dynamic_ids.clear();
  host.tree.remove(driver_directory(driver));
}

}  // namespace tessera::fakehost
