// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace tessera::kernel {

/// Names of a PCI vendor and device from the machine's pci.ids (libpciaccess); empty where the
/// table has none. Names are for people: nothing is ever decided from them.
struct PciNames {
  std::string vendor;
  std::string device;
};
PciNames pci_names(std::uint16_t vendor, std::uint16_t device);

}  // namespace tessera::kernel
