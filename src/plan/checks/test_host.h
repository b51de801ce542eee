// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "model/host.h"

/// A hand-made host for the tests of checks: everything known, nothing wrong. A test breaks one
/// thing and expects one finding.
namespace tessera::plan::test {

inline model::PciAddress at(std::uint8_t bus, std::uint8_t device, std::uint8_t function) {
  return {0, bus, device, function};
}

inline model::PciFunction function_at(model::PciAddress address, std::uint32_t class_code,
                                      std::string driver, int group) {
  model::PciFunction function;
  function.address = address;
  function.class_code = class_code;
  function.driver = std::move(driver);
  function.usual_driver = function.driver;
  function.driver_override = std::string();
  function.iommu_group = group;
  function.vendor = std::uint16_t{0x10de};
  function.device = std::uint16_t{0x1db4};
  function.vendor_name = "NVIDIA Corporation";
  function.device_name = "GV100GL [Tesla V100 PCIe 16GB]";
  function.express = true;
  function.vf_total = 0;
  function.vf_enabled = 0;
  return function;
}

inline constexpr std::uint32_t class_host_bridge = 0x060000;
inline constexpr std::uint32_t class_pci_bridge = 0x060400;
inline constexpr std::uint32_t class_vga = 0x030000;
inline constexpr std::uint32_t class_audio = 0x040300;
inline constexpr std::uint32_t class_ethernet = 0x020000;

inline const model::PciAddress host_bridge = at(0, 0, 0);
inline const model::PciAddress root_port = at(0, 1, 0);
inline const model::PciAddress gpu = at(1, 0, 0);
inline const model::PciAddress audio = at(1, 0, 1);
inline const model::PciAddress network = at(2, 0, 0);

inline model::KernelFacts good_kernel() {
  model::KernelFacts kernel;
  kernel.release = std::string("6.1.0-31-amd64");
  kernel.config_path = "/boot/config-6.1.0-31-amd64";
  kernel.command_line = std::string("BOOT_IMAGE=/vmlinuz root=/dev/vda1 quiet");
  kernel.iommu_units = {"dmar0"};
  kernel.iommu_groups_present = true;
  kernel.cpu_virtualization = true;
  kernel.kvm_device = true;
  kernel.vfio_pci_available = true;
  kernel.vfio_pci_loaded = false;
  kernel.interrupt_remapping = true;
  return kernel;
}

/// An Intel host with one card of two functions below a root port: groups {00:00.0}, {00:01.0},
/// {01:00.0 01:00.1}, {02:00.0}, the last a network card below another port.
inline model::HostSnapshot good_host() {
  model::HostSnapshot host;
  host.source = "/";
  host.live = true;
  host.boot.flow = "debian";
  host.boot.initramfs = "initramfs-tools";
  host.complete = true;
  host.kernel = good_kernel();
  host.functions = {function_at(host_bridge, class_host_bridge, "", 0),
                    function_at(root_port, class_pci_bridge, "pcieport", 1),
                    function_at(gpu, class_vga, "nouveau", 2),
                    function_at(audio, class_audio, "snd_hda_intel", 2),
                    function_at(network, class_ethernet, "e1000e", 3)};
  host.functions[0].vendor = std::uint16_t{0x8086};
  host.functions[2].parent = root_port;
  host.functions[3].parent = root_port;
  host.functions[2].reset_methods = std::vector<std::string>{"flr", "bus"};
  host.functions[2].boot_vga = false;
  host.functions[4].vendor_name = "Intel Corporation";
  host.functions[4].device_name = "82574L Gigabit Network Connection";
  const std::vector<std::vector<model::PciAddress>> members = {
      {host_bridge}, {root_port}, {gpu, audio}, {network}};
  for (const auto& of_group : members) {
    model::IommuGroup group;
    group.number = static_cast<int>(host.groups.size());
    group.members = of_group;
    group.reserved_regions = {{0xfee00000, 0xfeefffff, "msi"}};
    host.groups.push_back(std::move(group));
  }
  model::Card card;
  card.identity = "10de:1db4@0000/01.0/00.0";
  card.address = gpu;
  card.name = "NVIDIA Corporation GV100GL [Tesla V100 PCIe 16GB]";
  card.functions = {gpu, audio};
  card.groups = {2};
  host.cards = {card};
  return host;
}

/// The function at `address`, to be changed.
inline model::PciFunction& edit(model::HostSnapshot& host, const model::PciAddress& address) {
  return *std::ranges::find(host.functions, address, &model::PciFunction::address);
}

/// Moves a function to another group of the host.
inline void move_to_group(model::HostSnapshot& host, const model::PciAddress& address, int number) {
  for (model::IommuGroup& group : host.groups) {
    std::erase(group.members, address);
    if (group.number == number) group.members.push_back(address);
    std::ranges::sort(group.members);
  }
  edit(host, address).iommu_group = number;
}

}  // namespace tessera::plan::test
