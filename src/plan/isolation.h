// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/host.h"

namespace tessera::plan {

/// A group of a card that other devices share. The kernel gives an IOMMU group to one owner as a
/// whole, because inside it the IOMMU cannot tell one device's DMA from another's.
struct GroupTrouble {
  int group = 0;
  /// Members that are neither the card's own functions nor bridges; sorted, never empty.
  std::vector<model::PciAddress> foreign;
  /// Why the hardware cannot keep them apart, as far as the snapshot tells; a phrase that follows
  /// "because", e.g. "0000:00:1c.0 (PCI bridge) above both has no ACS".
  std::string reason;
  bool operator==(const GroupTrouble&) const = default;
};

/// The groups of `card` that cannot be given away with it alone, sorted by group; empty when the
/// card is isolated, and also when the host shows no groups at all (see has_groups()).
/// A bridge in the group does not count: it stays on its port driver and is not given to anybody
/// (Documentation/driver-api/vfio.rst), unless another driver than the port's is bound to it,
/// which keeps the whole group from VFIO. The card's own functions do not count, whatever their
/// slot, nor virtual functions made from them.
std::vector<GroupTrouble> foreign_members(const model::HostSnapshot& host, const model::Card& card);

/// The bridges above `address`, nearest first, as far as the snapshot knows them.
std::vector<model::PciAddress> bridges_above(const model::HostSnapshot& host,
                                             const model::PciAddress& address);

/// Why Linux takes a bridge, or a function of several, for one that does not keep others apart,
/// where its configuration space proves it: "no ACS", "ACS is off (control 0x0000 of 0x001d)".
/// Nothing where it keeps them apart, or where nobody knows (drivers/pci/pci.c, pci_acs_enabled;
/// the kernel's list of hardware that isolates without ACS is not looked at).
std::optional<std::string> why_not_apart(const model::PciFunction& function);

/// Whether every function of the card is known to be in an IOMMU group.
bool has_groups(const model::HostSnapshot& host, const model::Card& card);

/// "0000:02:00.0 (Ethernet controller, Intel Corporation 82574L, driver e1000e)": a function as a
/// refusal names it. Parts that are not known are left out.
std::string describe_function(const model::HostSnapshot& host, const model::PciAddress& address);

/// The bridge nearest to the devices that has all of `functions` below it; nothing when they share
/// none below the root complex, or the snapshot does not know their parents.
std::optional<model::PciAddress> common_bridge(const model::HostSnapshot& host,
                                               const std::vector<model::PciAddress>& functions);

}  // namespace tessera::plan
