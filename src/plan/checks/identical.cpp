// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/checks/checks.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Card;
using model::Finding;
using model::PciFunction;

namespace {

/// Cards of the host by vendor and device id of their main function.
std::map<model::DeviceId, std::vector<const Card*>> cards_by_id(const model::HostSnapshot& host) {
  std::map<model::DeviceId, std::vector<const Card*>> by_id;
  for (const Card& card : host.cards) {
    const PciFunction* function = host.function(card.address);
    bool known = function && function->vendor.has_value() && function->device.has_value();
    if (known) by_id[{function->vendor.value(), function->device.value()}].push_back(&card);
  }
  return by_id;
}

Finding identical(const model::DeviceId& ids, const std::vector<const Card*>& cards) {
  const std::string id = to_string(ids);
  Finding finding;
  finding.severity = model::Severity::note;
  finding.title = fmt::format("{} cards have the same id, {}", cards.size(), id);
  for (const Card* card : cards) {
    std::string name = model::to_string(card->address);
    finding.evidence.push_back({files::pci_device(name, "device"), id});
  }
  finding.cause = "They are the same model.";
  finding.consequence =
      "vfio-pci's ids= option, and new_id, take every card with the id, also the "
      "one that the host displays on. tessera assign writes driver_override for "
      "one address and takes exactly that card.";
  finding.fix = fmt::format(
      "Take {} out of any ids= option in /etc/modprobe.d and of vfio-pci.ids= "
      "on the kernel command line.",
      id);
  return finding;
}

}  // namespace

Findings identical_cards(const CheckScope& scope) {
  Findings findings;
  for (const auto& [ids, cards] : cards_by_id(scope.host)) {
    bool asked = std::ranges::any_of(cards, [&](const Card* card) {
      return std::ranges::find(scope.cards, card) != scope.cards.end();
    });
    if (asked && cards.size() > 1) findings.push_back(identical(ids, cards));
  }
  return findings;
}

}  // namespace tessera::plan::checks
