// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/reading.h"

namespace tessera::model {

/// A stretch of addresses that a PCI function answers at: a line of its `resource` file.
struct Bar {
  int index = 0;            ///< 0..5 BARs, 6 the expansion ROM, 7..12 those of its VFs together
  std::uint64_t first = 0;  ///< as the host's processor sees it; 0 where none was assigned
  std::uint64_t last = 0;   ///< inclusive
  bool io = false;          ///< I/O ports, not memory
  bool prefetchable = false;
  bool wide = false;  ///< 64 bits: may lie above 4 GiB

  [[nodiscard]] std::uint64_t size() const { return last - first + 1; }
  bool operator==(const Bar&) const = default;
};
inline constexpr int rom_bar = 6;
inline constexpr int first_vf_bar = 7;

/// The link to the port above (max_link_speed and its brothers).
struct PciLink {
  Reading<double> speed_gt =
      {};  ///< GT/s of each lane now; a card at rest may be slower than it can
  Reading<double> max_speed_gt = {};  ///< what the function itself can
  Reading<int> width = {};            ///< lanes now
  Reading<int> max_width = {};
};

/// What a function's place in the PCI Express tree is (PCIe base specification 7.5.3.2).
enum class ExpressType {
  conventional,  ///< no PCI Express capability
  endpoint,      ///< plain, legacy or root-complex integrated
  root_port,
  upstream_port,
  downstream_port,
  pcie_to_pci_bridge,
  pci_to_pcie_bridge,
  other,
};
std::string_view to_string(ExpressType type);

/// Access Control Services (PCIe base specification 7.7.8): whether a port or a function of several
/// sends requests between its neighbours up through the IOMMU.
struct Acs {
  std::uint16_t capabilities = 0;
  std::uint16_t control = 0;
  /// The four that Linux asks for before it makes groups apart (drivers/iommu/iommu.c,
  /// REQ_ACS_FLAGS): source validation, request and completion redirect, upstream forwarding.
  static constexpr std::uint16_t isolating = 0x01 | 0x04 | 0x08 | 0x10;
  /// Whether all four work. What a port cannot switch is taken as wired on, as Linux does
  /// (drivers/pci/pci.c, pci_acs_flags_enabled).
  [[nodiscard]] bool isolates() const {
    return (control & capabilities & isolating) == (capabilities & isolating);
  }
  [[nodiscard]] bool can_isolate() const { return (capabilities & isolating) == isolating; }
  bool operator==(const Acs&) const = default;
};

/// One resizable BAR (PCIe base specification 7.8.6).
struct ResizableBar {
  int index = 0;
  std::uint64_t size_mib = 0;
  std::vector<std::uint64_t> possible_mib;  ///< ascending
  bool operator==(const ResizableBar&) const = default;
};

/// Single Root I/O Virtualization (SR-IOV specification 3.3).
struct SrIov {
  int total_vfs = 0;
  int enabled_vfs = 0;
  int offset = 0;  ///< of the first VF's routing id from the PF's; read, never computed
  int stride = 0;
  std::uint16_t vf_device = 0;
  bool operator==(const SrIov&) const = default;
};

/// Errors of one kind that a function reported on PCI Express and the kernel counted, since the
/// function is there (Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats).
struct BusErrors {
  enum class Kind {
    corrected,  ///< the link put it right by itself
    nonfatal,   ///< a transaction was lost, the link works
    fatal,      ///< the link does not work any more
  };
  Kind kind = Kind::corrected;
  std::string name;  ///< the kernel's word, "CmpltTO"
  std::uint64_t count = 0;
  bool operator==(const BusErrors&) const = default;
};
/// The file that counts them: "aer_dev_correctable", "aer_dev_nonfatal", "aer_dev_fatal".
std::string_view counter_file(BusErrors::Kind kind);

/// What a function's configuration space says.
struct Capabilities {
  /// The first bytes all read as ff: the device does not answer any more (it fell off the bus, or
  /// sleeps).
  bool silent = false;
  ExpressType type = ExpressType::conventional;
  bool function_level_reset = false;
  std::optional<Acs> acs;
  std::optional<SrIov> sr_iov;
  std::vector<ResizableBar> resizable_bars;
  bool operator==(const Capabilities&) const = default;
};

}  // namespace tessera::model
