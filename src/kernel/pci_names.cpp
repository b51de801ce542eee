// SPDX-License-Identifier: Apache-2.0
#include "kernel/pci_names.h"

extern "C" {
#include <pciaccess.h>
}

namespace tessera::kernel {

PciNames pci_names(std::uint16_t vendor, std::uint16_t device) {
  pci_id_match match = {};
  match.vendor_id = vendor;
  match.device_id = device;
  match.subvendor_id = PCI_MATCH_ANY;
  match.subdevice_id = PCI_MATCH_ANY;
  const char* vendor_name = nullptr;
  const char* device_name = nullptr;
  ::pci_get_strings(&match, &device_name, &vendor_name, nullptr, nullptr);
  return {.vendor = vendor_name != nullptr ? vendor_name : "",
          .device = device_name != nullptr ? device_name : ""};
}

}  // namespace tessera::kernel
