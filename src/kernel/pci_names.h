// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct udev_hwdb;

namespace tessera::kernel {

/// Names of a PCI vendor and device; empty where the table has none. Names are for people: nothing
/// is ever decided from them.
struct PciNames {
  std::string vendor;
  std::string device;
};

/// This machine's table of PCI names: udev's hardware database (hwdb.bin, a mapped index, so that
/// asking for one name reads a few pages and not the text of 36 000 lines that pci.ids is). The
/// names of a recorded host come from the machine that looks at it. Without udev every name is
/// empty.
class PciNameTable {
 public:
  PciNameTable();
  [[nodiscard]] PciNames names(std::uint16_t vendor, std::uint16_t device) const;

 private:
  struct Close {
    void operator()(udev_hwdb* table) const;
  };
  std::unique_ptr<udev_hwdb, Close> table_;  ///< null where the machine has none
};

}  // namespace tessera::kernel
