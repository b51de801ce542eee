// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"
#include "plan/isolation.h"

namespace tessera::plan::checks {

using model::Card;
using model::Finding;
using model::HostSnapshot;
using model::PciFunction;
using model::Severity;

namespace {

constexpr std::string_view option = "pcie_acs_override=";

/// Whether the kernel was given the option and is not known to be one that ignores it: that kernel
/// names it among those that it passes on to user space.
bool acs_is_overridden(const HostSnapshot& host) {
  const auto& line = host.kernel.command_line;
  const bool given = line.has_value() && line.value().find(option) != std::string::npos;
  return given && std::ranges::none_of(host.kernel_log, [](const std::string& text) {
           return text.find("Unknown kernel command line") != std::string::npos &&
                  text.find(option) != std::string::npos;
         });
}

bool is_in_a_group_of(const Card& card, const PciFunction& function) {
  return !function.iommu_group.has_value() ||
         std::ranges::find(card.groups, function.iommu_group.value()) != card.groups.end();
}

/// The ports above the card that do not keep anything apart, and are in another group all the same.
std::vector<const PciFunction*> ports_believed(const HostSnapshot& host, const Card& card) {
  std::vector<const PciFunction*> ports;
  for (const auto& address : bridges_above(host, card.address)) {
    const PciFunction* bridge = host.function(address);
    const bool suspect = bridge && why_not_apart(*bridge) && !is_in_a_group_of(card, *bridge);
    if (suspect) ports.push_back(bridge);
  }
  return ports;
}

Finding overridden(const HostSnapshot& host, const Card& card,
                   const std::vector<const PciFunction*>& ports) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.card = card.address;
  finding.title = "The card's IOMMU group may be smaller than what the hardware keeps apart";
  finding.evidence = command_line_evidence(host);
  for (const auto* port : ports) {
    finding.evidence.push_back(seen_in(*port, "config", why_not_apart(*port).value()));
    finding.evidence.push_back(
        seen_in(*port, "iommu_group", fmt::format("-> {}", port->iommu_group.value())));
  }
  append(finding.evidence, log_evidence(host, {"ACS overrides enabled"}, 1));
  finding.cause =
      "A kernel patched to know pcie_acs_override= believes ports to have ACS that do not show "
      "it. (A few ports isolate without showing it; the kernel has a list of them, which is not "
      "read here.)";
  finding.consequence =
      "A machine that owns the card may reach other devices below the same port, and they its "
      "memory, without the IOMMU in between.";
  finding.fix =
      "Boot once without the option and look at the groups: that is what the hardware keeps "
      "apart. Keep it only where everything that the real groups hold belongs to one owner whom "
      "you trust.";
  return finding;
}

/// The bridge that puts the card on a conventional PCI bus, with what shows it.
std::optional<model::Evidence> conventional_bus(const HostSnapshot& host, const Card& card) {
  for (const auto& address : bridges_above(host, card.address)) {
    const PciFunction* bridge = host.function(address);
    if (!bridge || !bridge->capabilities.has_value() || bridge->capabilities.value().silent) {
      continue;
    }
    const auto type = bridge->capabilities.value().type;
    if (type == model::ExpressType::pcie_to_pci_bridge ||
        type == model::ExpressType::conventional) {
      return seen_in(*bridge, "config", why_not_apart(*bridge).value());
    }
  }
  return std::nullopt;
}

}  // namespace

Findings acs_override_lies(const CheckScope& scope) {
  Findings findings;
  if (!acs_is_overridden(scope.host)) return findings;
  for (const Card* card : scope.cards) {
    const auto ports = ports_believed(scope.host, *card);
    if (!ports.empty()) findings.push_back(overridden(scope.host, *card, ports));
  }
  return findings;
}

Findings card_on_conventional_bus(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    auto bridge = conventional_bus(scope.host, *card);
    if (!bridge) continue;
    Finding finding;
    finding.severity = Severity::note;
    finding.card = card->address;
    finding.title = "The card is on a conventional PCI bus";
    finding.evidence = {std::move(*bridge)};
    finding.cause = "It is behind a bridge from PCI Express to PCI, or on an old board.";
    finding.consequence =
        "The IOMMU sees all that the bus sends under the bridge's own address: everything on the "
        "bus is one group, now and after another card is put there, and one reset hits all of it.";
    finding.fix = "Leave the bus to this card alone, or use a PCI Express slot.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
