// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Finding;
using model::PciFunction;
using model::Severity;

namespace {

/// The lanes that both ends of the link have; nothing where one end is not known.
model::Reading<int> lanes_of_both(const PciFunction& function, const PciFunction& port) {
  if (!function.link.max_width.has_value() || !port.link.max_width.has_value()) return {};
  return std::min(function.link.max_width.value(), port.link.max_width.value());
}

Finding narrow(const model::Card& card, const PciFunction& function, const PciFunction& port,
               int possible) {
  const std::string name = to_string(function.address);
  const std::string above = to_string(port.address);
  Finding finding;
  finding.severity = Severity::warning;
  finding.card = card.address;
  finding.title =
      fmt::format("The card's link has {} of {} lanes", function.link.width.value(), possible);
  finding.evidence = {
      {files::pci_device(name, "current_link_width"), std::to_string(function.link.width.value())},
      {files::pci_device(name, "max_link_width"), std::to_string(function.link.max_width.value())},
      {files::pci_device(above, "max_link_width"), std::to_string(port.link.max_width.value())}};
  finding.cause =
      "Lanes do not make contact: the card sits badly, a riser or cable is damaged or was made for "
      "fewer, or the firmware shares the lanes with another slot.";
  finding.consequence =
      "Everything between the host and the card is that much slower, in a machine as well.";
  finding.fix =
      "Seat the card anew, try without the riser, and look in the firmware setup how the "
      "slot's lanes are shared (bifurcation).";
  return finding;
}

}  // namespace

Findings link_narrow(const CheckScope& scope) {
  Findings findings;
  for (const auto* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (function == nullptr || !function->parent || card->integrated) continue;
    const PciFunction* port = scope.host.function(*function->parent);
    if (port == nullptr) continue;
    const auto possible = lanes_of_both(*function, *port);
    const int now = function->link.width.value_or(0);
    if (possible.has_value() && now > 0 && now < possible.value()) {
      findings.push_back(narrow(*card, *function, *port, possible.value()));
    }
  }
  return findings;
}

Findings card_silent(const CheckScope& scope) {
  Findings findings;
  for (const auto* card : scope.cards) {
    for (const auto* function : functions_of(scope.host, *card)) {
      if (!function->capabilities.value_or({}).silent) continue;
      const std::string name = to_string(function->address);
      Finding finding;
      finding.severity = Severity::error;
      finding.card = card->address;
      finding.title = fmt::format("{} does not answer any more", name);
      finding.evidence = {{files::pci_device(name, "config"), "every byte reads ff"}};
      if (function->power_state.has_value()) {
        finding.evidence.push_back(
            {files::pci_device(name, "power_state"), function->power_state.value()});
      }
      append(finding.evidence, log_evidence(scope.host, {"fallen off the bus", name}));
      finding.cause =
          "It fell off the bus: power, heat, a bad contact, a reset that did not end, or a "
          "driver that put it to sleep for good.";
      finding.consequence = "No driver and no machine can use it, and commands to it may hang.";
      finding.fix =
          "Remove it and look for it again; if it stays away, switch the host off and on.";
      finding.command = fmt::format("echo 1 | sudo tee {} && echo 1 | sudo tee {}",
                                    files::pci_device(name, "remove"), files::pci_rescan);
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

}  // namespace tessera::plan::checks
