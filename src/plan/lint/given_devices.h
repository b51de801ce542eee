// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/pci.h"
#include "plan/lint/pieces.h"

namespace tessera::plan::linting {

/// A PCI function that a QEMU command or a domain gives to its machine.
struct GivenDevice {
  int line = 0;
  std::string seen;  ///< "host=01:00.0", or the address of libvirt's source
  model::PciAddress address;
  int machine = 0;  ///< devices with the same number are of one machine
  bool libvirt = false;
  bool managed = false;  ///< libvirt takes it from its driver itself
  bool x_vga = false;
};
std::vector<GivenDevice> given_devices(const Pieces& pieces);

/// A mediated device that a QEMU command or a domain gives, by its UUID in lower case; those that
/// are no UUID ("$UUID") are left out.
struct GivenSlice {
  int line = 0;
  std::string uuid;
};
std::vector<GivenSlice> given_slices(const Pieces& pieces);

/// `text` in lower case if it is a UUID.
std::optional<std::string> parse_uuid(std::string_view text);

/// The address of a libvirt <address> element; nothing where a part is missing or no number.
std::optional<model::PciAddress> libvirt_address(const XmlElement& element);

}  // namespace tessera::plan::linting
