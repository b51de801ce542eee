// SPDX-License-Identifier: Apache-2.0
#include "plan/isolation.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "model/drivers.h"

namespace tessera::plan {

using model::Card;
using model::HostSnapshot;
using model::IommuGroup;
using model::PciAddress;
using model::PciFunction;

namespace {

// Deeper than any PCI tree (256 buses); a broken recording must not loop.
constexpr int max_depth = 256;

bool is_bridge(const HostSnapshot& host, const PciAddress& address) {
  const PciFunction* function = host.function(address);
  return function && function->class_code.has_value() &&
         model::is_bridge_class(function->class_code.value());
}

/// A bridge that may stay in the group as it is.
bool is_harmless_bridge(const HostSnapshot& host, const PciAddress& address) {
  return is_bridge(host, address) && model::shares_group_with_vfio(host.function(address)->driver);
}

bool belongs_to(const HostSnapshot& host, const Card& card, const PciAddress& address) {
  const PciFunction* function = host.function(address);
  bool slice = function && function->physical_function && card.has(*function->physical_function);
  return card.has(address) || slice;
}

std::vector<PciAddress> foreign_in(const HostSnapshot& host, const Card& card,
                                   const IommuGroup& group) {
  std::vector<PciAddress> foreign;
  for (const PciAddress& member : group.members) {
    if (belongs_to(host, card, member) || is_harmless_bridge(host, member)) continue;
    foreign.push_back(member);
  }
  std::ranges::sort(foreign);
  return foreign;
}

bool contains(const std::vector<PciAddress>& addresses, const PciAddress& wanted) {
  return std::ranges::find(addresses, wanted) != addresses.end();
}

/// Whether a function below `bridge` is known to be conventional PCI, where all devices of a bus
/// show the IOMMU the bridge's requester id.
bool conventional_below(const HostSnapshot& host, const PciAddress& bridge,
                        const std::vector<PciAddress>& functions) {
  return std::ranges::any_of(functions, [&](const PciAddress& address) {
    const PciFunction* function = host.function(address);
    return function && function->parent == bridge && function->express.has_value() &&
           !function->express.value();
  });
}

bool same_slot(const std::vector<PciAddress>& functions) {
  return std::ranges::all_of(functions, [&](const PciAddress& address) {
    return model::slot_name(address) == model::slot_name(functions.front());
  });
}

/// The bridges above `functions`, in their group, whose configuration space shows that they keep
/// nothing apart, each with what it shows; nothing where none shows it.
std::optional<std::string> proven_reason(const HostSnapshot& host, const IommuGroup& group,
                                         const std::vector<PciAddress>& functions) {
  std::vector<PciAddress> seen;
  std::vector<std::string> bridges;
  for (const PciAddress& function : functions) {
    for (const PciAddress& above : bridges_above(host, function)) {
      const PciFunction* bridge = host.function(above);
      auto why = bridge ? why_not_apart(*bridge) : std::nullopt;
      if (!why || !contains(group.members, above) || contains(seen, above)) continue;
      seen.push_back(above);
      bridges.push_back(fmt::format("{} ({})", model::to_string(above), *why));
    }
  }
  if (bridges.empty()) return std::nullopt;
  return fmt::format("{} above them can pass their DMA from one to the other without the IOMMU",
                     text::join(bridges, " and "));
}

std::string reason_for(const HostSnapshot& host, const Card& card, const IommuGroup& group,
                       const std::vector<PciAddress>& foreign) {
  std::vector<PciAddress> involved = foreign;
  for (const PciAddress& own : card.functions) {
    if (contains(group.members, own)) involved.push_back(own);
  }
  if (same_slot(involved)) {
    return fmt::format(
        "they are functions of one device, {}, which does not keep its functions apart "
        "(no ACS between them)",
        model::slot_name(involved.front()));
  }
  std::optional<PciAddress> bridge = common_bridge(host, involved);
  if (bridge && conventional_below(host, *bridge, involved)) {
    return fmt::format(
        "they sit on the conventional PCI bus below {}, where the IOMMU sees every device under "
        "the bridge's own address",
        describe_function(host, *bridge));
  }
  if (auto proof = proven_reason(host, group, involved)) return *proof;
  if (bridge && contains(group.members, *bridge)) {
    return fmt::format(
        "{} above them is in the group too: it has no ACS, or leads to a conventional PCI bus, "
        "and can pass their DMA from one to the other without the IOMMU",
        describe_function(host, *bridge));
  }
  std::vector<std::string> ports;
  for (const PciAddress& member : group.members) {
    if (is_bridge(host, member)) ports.push_back(model::to_string(member));
  }
  if (!ports.empty()) {
    return fmt::format(
        "the bridges in the group ({}) do not keep what is below them apart (no ACS between them)",
        text::join(ports, ", "));
  }
  if (bridge) {
    return fmt::format(
        "nothing between them and {} tells the kernel that it keeps them apart (no ACS)",
        describe_function(host, *bridge));
  }
  return "no bridge on their way tells the kernel that it keeps them apart (no ACS)";
}

}  // namespace

std::vector<PciAddress> bridges_above(const HostSnapshot& host, const PciAddress& address) {
  std::vector<PciAddress> above;
  const PciFunction* function = host.function(address);
  while (function && function->parent && above.size() < max_depth) {
    above.push_back(*function->parent);
    function = host.function(*function->parent);
  }
  return above;
}

std::optional<std::string> why_not_apart(const PciFunction& function) {
  if (!function.capabilities.has_value() || function.capabilities.value().silent) return {};
  const model::Capabilities& can = function.capabilities.value();
  using enum model::ExpressType;
  switch (can.type) {
    case conventional:
      return "conventional PCI, which has no ACS";
    case pcie_to_pci_bridge:
      return "a PCI Express to PCI bridge, which has no ACS";
    case pci_to_pcie_bridge:
      return "a PCI to PCI Express bridge, which has no ACS";
    case upstream_port:  // its downstream ports decide
    case other:
      return {};
    case endpoint:
    case root_port:
    case downstream_port:
      break;
  }
  if (!can.acs) return "no ACS";
  if (can.acs->isolates()) return {};
  return fmt::format("ACS is off (control 0x{:04x} of 0x{:04x})", can.acs->control,
                     can.acs->capabilities);
}

std::vector<GroupTrouble> foreign_members(const HostSnapshot& host, const Card& card) {
  std::vector<GroupTrouble> troubles;
  for (int number : card.groups) {
    const IommuGroup* group = host.group(number);
    if (!group) continue;
    std::vector<PciAddress> foreign = foreign_in(host, card, *group);
    if (foreign.empty()) continue;
    std::string reason = reason_for(host, card, *group, foreign);
    troubles.push_back({number, std::move(foreign), std::move(reason)});
  }
  return troubles;
}

bool has_groups(const HostSnapshot& host, const Card& card) {
  return std::ranges::all_of(card.functions, [&](const PciAddress& address) {
    const PciFunction* function = host.function(address);
    return function && function->iommu_group.has_value();
  });
}

std::string describe_function(const HostSnapshot& host, const PciAddress& address) {
  const PciFunction* function = host.function(address);
  if (!function) return model::to_string(address);
  std::vector<std::string> parts;
  if (function->class_code.has_value()) {
    parts.push_back(model::class_words(function->class_code.value()));
  }
  if (std::string name = model::function_name(*function); !name.empty()) parts.push_back(name);
  if (!function->driver.empty()) parts.push_back("driver " + function->driver);
  if (parts.empty()) return model::to_string(address);
  return fmt::format("{} ({})", model::to_string(address), text::join(parts, ", "));
}

std::optional<PciAddress> common_bridge(const HostSnapshot& host,
                                        const std::vector<PciAddress>& functions) {
  if (functions.empty()) return std::nullopt;
  for (const PciAddress& candidate : bridges_above(host, functions.front())) {
    bool above_all = std::ranges::all_of(functions, [&](const PciAddress& function) {
      return contains(bridges_above(host, function), candidate);
    });
    if (above_all) return candidate;
  }
  return std::nullopt;
}

}  // namespace tessera::plan
