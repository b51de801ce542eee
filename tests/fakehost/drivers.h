// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/recording.h"

namespace tessera::fakehost {

class Host;

/// What a PCI driver's id table says; unset fields match everything.
struct PciId {
  std::optional<std::uint32_t> vendor;
  std::optional<std::uint32_t> device;
  std::optional<std::uint32_t> subvendor;
  std::optional<std::uint32_t> subdevice;
  std::uint32_t class_code = 0;
  std::uint32_t class_mask = 0;

  bool operator==(const PciId&) const = default;
  /// Whether a device with this identity falls under the entry.
  [[nodiscard]] bool covers(const PciId& identity) const;
};

/// A driver the host knows; it is registered while its sysfs directory exists.
struct Driver {
  std::string bus;
  std::string name;
  std::string module;               ///< empty when built in
  std::vector<PciId> ids;           ///< of the devices that were recorded with it
  std::set<std::string> addresses;  ///< of those recorded without ids
  std::vector<PciId> dynamic_ids;   ///< from new_id
  int order = 0;                    ///< of registration: the first that matches wins
};

/// A device in the tree.
struct Device {
  std::string bus;
  std::string name;
  std::string path;                ///< canonical, "/sys/devices/..."
  std::string usual_driver;        ///< the one it was recorded with
  std::string group;               ///< IOMMU group number; empty when none
  std::vector<std::string> nodes;  ///< its driver's files below /dev
  /// What the usual driver put below the device, kept while the driver is off it.
  std::map<std::string, std::unique_ptr<kernel::TreeNode>> put_away;
};

bool is_vfio_driver(std::string_view driver);
PciId identity(const Host& host, const Device& device);
std::string bound_driver(const Host& host, const Device& device);
/// "VVVV:DDDD", with zeros for what is not known.
std::string id_text(const Host& host, const Device& device);

/// Registers a driver: makes its directory, then probes driverless devices it matches.
void register_driver(Host& host, std::string_view key);
/// Takes a driver off all its devices and away.
void unregister_driver(Host& host, std::string_view key);

/// pci_match_device() of the kernel: override, dynamic ids, static ids.
bool matches(const Host& host, const Driver& driver, const Device& device);
/// Binds now. 0 or a negative errno from the driver's probe.
int attach(Host& host, Device& device, const Driver& driver);
/// Lets every registered driver that matches try, in order of registration.
void probe(Host& host, Device& device);
/// Takes the driver off without waiting for anybody.
void detach(Host& host, Device& device);

/// completion.cpp: adds what a live driver shows beside the recorded part of its folders.
void complete_driver_folders(Host& host, const Device& device);

/// driver_nodes.cpp: what a bound driver makes, and takes away again.
void make_driver_files(Host& host, Device& device, std::string_view driver);
void take_driver_files(Host& host, Device& device, std::string_view driver);
/// Puts a device's driver folders away until its usual driver is bound.
void put_driver_folders_away(Host& host, Device& device);

}  // namespace tessera::fakehost
