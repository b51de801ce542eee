// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tessera::model {

/// A PCI address, domain:bus:device.function. It names a place now, not a card for ever: buses are
/// renumbered by firmware updates and new cards (see Card::identity).
struct PciAddress {
  std::uint32_t domain = 0;  ///< 16 bits on PCs; VMD and some servers use more
  std::uint8_t bus = 0;
  std::uint8_t device = 0;    ///< 0..31
  std::uint8_t function = 0;  ///< 0..7

  auto operator<=>(const PciAddress&) const = default;
};

/// Takes "0000:01:00.0", "01:00.0" (domain 0) and nvidia-smi's "00000000:01:00.0", either case.
/// Errors: invalid, saying which part is wrong.
Result<PciAddress> parse_pci_address(std::string_view text);

/// As sysfs spells it: "0000:01:00.0".
std::string to_string(const PciAddress& address);

/// How many functions `last` is after `first` in the same domain, over devices and buses.
std::int64_t functions_between(const PciAddress& first, const PciAddress& last);
/// The address `distance` functions after `first`. Nothing beyond the last bus.
std::optional<PciAddress> function_after(const PciAddress& first, std::int64_t distance);

/// What a model of device is known by.
struct DeviceId {
  std::uint16_t vendor = 0;
  std::uint16_t device = 0;
  auto operator<=>(const DeviceId&) const = default;
};

/// "10de:1b02", each with one to four digits; subvendor, subdevice and class may follow and are
/// passed over. Nothing for other forms.
std::optional<DeviceId> parse_device_id(std::string_view text);
/// As tools write it: "10de:1b02".
std::string to_string(const DeviceId& id);

/// Slot without function, "0000:01:00".
std::string slot_name(const PciAddress& address);

/// The PCI addresses in a sysfs path, from the root down; pieces of another form ("pci0000:00",
/// "consumer:pci:0000:61:00.1") are no addresses.
std::vector<PciAddress> addresses_in_path(std::string_view sysfs_path);

/// The root complex in a sysfs path, by the kernel's name: "pci0000:80" for the host bridge whose
/// first bus is 80. Empty where the path has none.
std::string root_complex_in_path(std::string_view sysfs_path);

/// The upper byte of a 24-bit class code (0x030200 gives 0x03), and base plus subclass (0x0302).
constexpr std::uint8_t base_class(std::uint32_t class_code) {
  return static_cast<std::uint8_t>(class_code >> 16);
}
constexpr std::uint16_t sub_class(std::uint32_t class_code) {
  return static_cast<std::uint16_t>(class_code >> 8);
}

/// Display (03xx), processing accelerator (1200) or co-processor (0b40): what makes a board a card.
/// Datacentre NVIDIA is 0302, Flex 170 is 0380, MI300X is 1200, Xeon Phi is 0b40.
bool is_gpu_class(std::uint32_t class_code);

/// Network controller of any kind (02xx): Ethernet, InfiniBand, Wi-Fi; or InfiniBand as older
/// adapters have it (0c06).
bool is_network_class(std::uint32_t class_code);

/// PCI bridge of any kind (06xx): may share a group with a card, is never given away.
bool is_bridge_class(std::uint32_t class_code);

/// Words for the class, e.g. "3D controller", "audio device"; "class 0x0c8000" for others.
std::string class_words(std::uint32_t class_code);

}  // namespace tessera::model
