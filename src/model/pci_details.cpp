// SPDX-License-Identifier: Apache-2.0
#include "model/pci_details.h"

namespace tessera::model {

std::string_view to_string(ExpressType type) {
  switch (type) {
    case ExpressType::conventional:
      return "conventional PCI";
    case ExpressType::endpoint:
      return "endpoint";
    case ExpressType::root_port:
      return "root port";
    case ExpressType::upstream_port:
      return "upstream port";
    case ExpressType::downstream_port:
      return "downstream port";
    case ExpressType::pcie_to_pci_bridge:
      return "PCIe-to-PCI bridge";
    case ExpressType::pci_to_pcie_bridge:
      return "PCI-to-PCIe bridge";
    case ExpressType::other:
      return "other";
  }
  return "other";
}

std::string_view counter_file(BusErrors::Kind kind) {
  switch (kind) {
    case BusErrors::Kind::corrected:
      return "aer_dev_correctable";
    case BusErrors::Kind::nonfatal:
      return "aer_dev_nonfatal";
    case BusErrors::Kind::fatal:
      return "aer_dev_fatal";
  }
  return "aer_dev_fatal";
}

}  // namespace tessera::model
