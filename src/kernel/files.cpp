// SPDX-License-Identifier: Apache-2.0
#include "kernel/files.h"

#include <fmt/format.h>

namespace tessera::kernel::files {

namespace {

std::string below(std::string_view directory, std::string_view name, std::string_view file) {
  if (file.empty()) return fmt::format("{}/{}", directory, name);
  return fmt::format("{}/{}/{}", directory, name, file);
}

}  // namespace

std::string pci_device(std::string_view bdf, std::string_view file) {
  return below(pci_devices, bdf, file);
}

std::string pci_driver(std::string_view driver, std::string_view file) {
  return below(pci_drivers, driver, file);
}

std::string mdev_parent(std::string_view name, std::string_view file) {
  return below(mdev_parents, name, file);
}

std::string mdev_device(std::string_view uuid, std::string_view file) {
  return below(mdev_devices, uuid, file);
}

std::string iommu_group(int group, std::string_view file) {
  return below(iommu_groups, std::to_string(group), file);
}

std::string platform_device(std::string_view name, std::string_view file) {
  return below(platform_devices, name, file);
}

std::string platform_driver(std::string_view driver, std::string_view file) {
  return below(platform_drivers, driver, file);
}

std::string module(std::string_view name, std::string_view file) {
  return below(modules, name, file);
}

std::string module_parameter(std::string_view module_name, std::string_view parameter) {
  return fmt::format("{}/parameters/{}", module(module_name), parameter);
}

std::string memory_node(int node, std::string_view file) {
  return below(memory_nodes, fmt::format("node{}", node), file);
}

std::string mdev_definition(std::string_view parent, std::string_view uuid) {
  return fmt::format("{}/{}/{}", mdev_definitions, parent, uuid);
}

std::string boot_config(std::string_view release) {
  return fmt::format("/boot/config-{}", release);
}

std::string module_table(std::string_view release, std::string_view file) {
  return below("/lib/modules", release, file);
}

std::string process(int pid, std::string_view file) {
  return below(proc, std::to_string(pid), file);
}

}  // namespace tessera::kernel::files
