// SPDX-License-Identifier: Apache-2.0
// sriov_numvfs: drivers/pci/{pci-sysfs,iov}.c of Linux 6.1.
// NVIDIA's driver has no sriov_configure: its virtual functions come by sriov-manage
// (nvidia_tools.cpp).
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

/// Drivers without sriov_configure. i915 gets one by the out-of-tree module,
/// which shows in its parameter max_vfs.
constexpr std::array without_sriov = {"i915",    "nvidia",   "amdgpu",   "radeon",
                                      "nouveau", "pcieport", "vfio-pci", "snd_hda_intel"};

/// Drivers that give their virtual functions quotas.
struct QuotaDriver {
  std::string_view name;
  int (*provision)(Host& host, const Device& pf, int count);
  void (*enabled)(Host& host, const Device& pf, int count);
  void (*disabled)(Host& host, const Device& pf);
};
constexpr std::array quota_drivers = {
    QuotaDriver{"xe", xe_provision, xe_enabled, xe_disabled},
    QuotaDriver{"i915", i915_provision, nullptr, i915_disabled},
};

const QuotaDriver* quota_driver(const Host& host, const Device& pf) {
  auto found = std::ranges::find(quota_drivers, bound_driver(host, pf), &QuotaDriver::name);
  return found == quota_drivers.end() ? nullptr : &*found;
}

bool can_configure(const Host& host, const std::string& driver) {
  if (host.exists("/sys/module/" + driver + "/parameters/max_vfs")) return true;
  return std::ranges::find(without_sriov, driver) == without_sriov.end();
}

/// An address as one number: 16 bits of bus, device and function below the domain.
struct Address {
  unsigned domain = 0;
  unsigned routing_id = 0;

  [[nodiscard]] std::string text() const {
    return fmt::format("{:04x}:{:02x}:{:02x}.{}", domain, routing_id >> 8, (routing_id >> 3) & 31,
                       routing_id & 7);
  }
};

Address parse(const std::string& name) {
  Address address;
  unsigned bus = 0;
  unsigned slot = 0;
  unsigned function = 0;
  // A device's own name, which has this form. NOLINTNEXTLINE(cert-err34-c)
  std::sscanf(name.c_str(), "%x:%x:%x.%x", &address.domain, &bus, &slot, &function);
  address.routing_id = bus << 8 | slot << 3 | function;
  return address;
}

/// The VFs' addresses: the recorded offset and stride, else the first free run after the PF.
std::vector<std::string> vf_names(Host& host, const Device& pf, int count) {
  auto start = parse(pf.name);
  auto stride = static_cast<unsigned>(std::max(host.count(pf.path + "/sriov_stride"), 1));
  auto offset = static_cast<unsigned>(host.count(pf.path + "/sriov_offset"));
  bool recorded = offset > 0;
  for (offset = std::max(offset, 1U); offset < 4096; ++offset) {
    std::vector<std::string> names;
    bool free = true;
    for (int i = 0; i < count; ++i) {
      Address vf{start.domain, start.routing_id + offset + static_cast<unsigned>(i) * stride};
      names.push_back(vf.text());
      free = free && host.device("pci", names.back()) == nullptr;
    }
    if (free || recorded) return names;
  }
  return {};
}

void add_group(Host& host, Device& vf, const Device& pf) {
  if (pf.group.empty()) return;
  vf.group = std::to_string(host.free_number("/sys/kernel/iommu_groups", ""));
  auto group = "/sys/kernel/iommu_groups/" + vf.group;
  host.put_link(group + "/devices/" + vf.name, vf.path);
  host.put_file(group + "/type", "DMA-FQ\n");
  host.put_file(group + "/reserved_regions", "0x00000000fee00000 0x00000000feefffff msi\n");
  host.put_link(vf.path + "/iommu_group", group);
}

void copy_identity(Host& host, const Device& pf, const Device& vf) {
  for (const char* file : {"vendor", "device", "class", "revision", "subsystem_vendor",
                           "subsystem_device", "numa_node", "local_cpulist", "local_cpus"}) {
    auto value = host.text(pf.path + "/" + file);
    if (!value.empty()) host.put_file(vf.path + "/" + file, value + "\n");
  }
  auto own_id = host.text(pf.path + "/sriov_vf_device");
  if (!own_id.empty())
    host.put_file(vf.path + "/device", (own_id.starts_with("0x") ? "" : "0x") + own_id + "\n");
}

void add_vf(Host& host, const std::string& pf_name, const std::string& name, int index) {
  const Device& pf = *host.device("pci", pf_name);
  Device vf;
  vf.bus = "pci";
  vf.name = name;
  vf.path = pf.path.substr(0, pf.path.rfind('/') + 1) + name;
  vf.usual_driver = pf.usual_driver;
  host.put_directory(vf.path);
  copy_identity(host, pf, vf);
  for (const char* file : {"remove", "rescan", "uevent"}) host.put_file(vf.path + "/" + file, "");
  host.put_file(vf.path + "/driver_override", "(null)\n");
  host.put_file(vf.path + "/reset_method", "flr\n");
  host.put_link(vf.path + "/physfn", pf.path);
  host.put_link(vf.path + "/subsystem", "/sys/bus/pci");
  host.put_link(fmt::format("{}/virtfn{}", pf.path, index), vf.path);
  host.put_link("/sys/bus/pci/devices/" + name, vf.path);
  add_group(host, vf, pf);
  for (const auto& [file, content] : host.vf_files[id_text(host, pf)])
    host.put_file(vf.path + "/" + file, content);
  complete_driver_folders(host, vf);
  put_driver_folders_away(host, vf);
  bool autoprobe = host.text(pf.path + "/sriov_drivers_autoprobe") != "0";
  Device& present = host.devices["pci/" + name] = std::move(vf);
  host.uevent("add", present);
  if (autoprobe) probe(host, present);
}

int set_numvfs(Call& call) {
  Host& host = call.host;
  Device* pf = call.device();
  auto wanted = text::to_number(call.word());
  if (!wanted || *wanted > 0xffff) return -EINVAL;
  if (pf == nullptr) return -ENODEV;
  auto count = static_cast<int>(*wanted);
  if (count > host.count(pf->path + "/sriov_totalvfs")) return -ERANGE;
  int now = host.count(call.path);
  if (count == now) return 0;
  auto driver = bound_driver(host, *pf);
  if (driver.empty()) {
    host.log(fmt::format("pci {}: no driver bound to device; cannot configure SR-IOV", pf->name));
    return -ENOENT;
  }
  if (!can_configure(host, driver)) {
    host.log(fmt::format("{} {}: driver does not support SR-IOV configuration via sysfs", driver,
                         pf->name));
    return -ENOENT;
  }
  auto name = pf->name;
  if (count == 0) return remove_virtual_functions(call, name);
  if (now != 0) {
    host.log(fmt::format("{} {}: {} VFs already enabled. Disable before enabling {} VFs", driver,
                         name, now, count));
    return -EBUSY;
  }
  return enable_virtual_functions(call, name, count);
}

constexpr Behaviour sriov_table[] = {{"/sys/devices/**/sriov_numvfs", set_numvfs}};

}  // namespace

std::span<const Behaviour> sriov_behaviours() {
  return sriov_table;
}

int enable_virtual_functions(Call& call, const std::string& pf, int count) {
  Host& host = call.host;
  Device* device = host.device("pci", pf);
  if (device == nullptr) return -ENODEV;
  auto vfs = vf_names(host, *device, count);
  if (vfs.empty()) return -ENOMEM;
  const QuotaDriver* quotas = quota_driver(host, *device);
  if (quotas != nullptr) {
    if (int error = quotas->provision(host, *device, count); error != 0) return error;
  }
  host.put_file(device->path + "/sriov_numvfs", fmt::format("{}\n", count));
  for (int i = 0; i < count; ++i) add_vf(host, pf, vfs[static_cast<std::size_t>(i)], i);
  if (quotas != nullptr && quotas->enabled != nullptr)
    quotas->enabled(host, *host.device("pci", pf), count);
  return 0;
}

// A copy: the name may be the device's own, which goes away. NOLINTNEXTLINE(performance-*)
int remove_virtual_functions(Call& call, std::string pf) {
  Host& host = call.host;
  Device* owner = host.device("pci", pf);
  if (owner == nullptr || host.count(owner->path + "/sriov_numvfs") == 0) return 0;
  auto path = owner->path;
  for (const auto& link : host.names(path)) {
    if (!link.starts_with("virtfn")) continue;
    auto vf = host.link_name(path + "/" + link);
    if (int error = remove_device(call, "pci", vf, Keep::no); error != 0) return error;
    host.tree.remove(path + "/" + link);
  }
  host.put_file(path + "/sriov_numvfs", "0\n");
  owner = host.device("pci", pf);
  const QuotaDriver* quotas = owner == nullptr ? nullptr : quota_driver(host, *owner);
  if (quotas != nullptr) quotas->disabled(host, *owner);
  return 0;
}

}  // namespace tessera::fakehost
