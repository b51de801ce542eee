// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "model/drivers.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Card;
using model::Evidence;
using model::Finding;
using model::PciFunction;
using model::Severity;

namespace {

/// pci-stub keeps a device from everybody, and VFIO accepts it beside its own devices.
bool is_set_aside(const PciFunction& function) {
  return model::is_vfio_driver(function.driver) || function.driver == "pci-stub";
}

Evidence driver_evidence(const PciFunction& function) {
  return {files::pci_device(model::to_string(function.address), "driver"),
          function.driver.empty() ? std::string(is_not_there) : "-> " + function.driver};
}

Evidence override_evidence(const PciFunction& function) {
  return {files::pci_device(model::to_string(function.address), "driver_override"),
          text::printable(function.driver_override.value_or(""))};
}

bool share_a_group(const std::vector<const PciFunction*>& functions) {
  const auto& first = functions.front()->iommu_group;
  return first.has_value() && std::ranges::all_of(functions, [&](const PciFunction* function) {
           return function->iommu_group == first;
         });
}

Finding split(const Card& card, const std::vector<const PciFunction*>& bound) {
  const std::string address = model::to_string(card.address);
  Finding finding;
  finding.severity = Severity::warning;
  finding.card = card.address;
  finding.title = "Some functions of the card are given away, others are not";
  for (const auto* function : bound) finding.evidence.push_back(driver_evidence(*function));
  finding.cause =
      "Only part of the card was moved, by hand, by an ids= option that names one "
      "function only, or by a change that was cut short.";
  finding.consequence =
      share_a_group(bound)
          ? fmt::format(
                "No machine can start with it: \"group {} is not viable\", because a host "
                "driver still uses part of the group.",
                bound.front()->iommu_group.value())
          : "A machine gets an incomplete card, for example a picture without sound.";
  finding.fix = fmt::format(
      "Move the whole card: to the machines, or back with tessera assign {} "
      "--to host.",
      address);
  finding.command = fmt::format("tessera assign {} --to vm", address);
  return finding;
}

/// An override that names another driver than the one that is bound.
bool override_left(const PciFunction& function) {
  const std::string wanted = function.driver_override.value_or("");
  return !wanted.empty() && wanted != function.driver;
}

bool without_driver(const PciFunction& function) {
  return function.driver.empty() && !function.usual_driver.empty() &&
         function.driver_override.value_or("").empty();
}

Finding left_override(const PciFunction& function) {
  const std::string name = model::to_string(function.address);
  const std::string wanted = function.driver_override.value();
  Finding finding;
  finding.title = fmt::format("{} keeps a driver_override of {}", name, text::printable(wanted));
  finding.evidence = {override_evidence(function), driver_evidence(function)};
  finding.cause = "It was set and never cleared; setting it neither binds nor unbinds.";
  finding.consequence =
      function.driver.empty()
          ? fmt::format("The function has no driver, and none but {} can take it.", wanted)
          : fmt::format("The function stays on {} until it is probed again, and then goes to {}.",
                        function.driver, wanted);
  return finding;
}

Finding no_driver(const model::HostSnapshot& host, const PciFunction& function) {
  const std::string name = model::to_string(function.address);
  Finding finding;
  finding.title = fmt::format("{} has no driver", name);
  finding.evidence = {driver_evidence(function)};
  if (!function.modalias.empty()) {
    finding.evidence.push_back(
        {files::pci_device(name, "modalias"),
         fmt::format("{} (module {})", text::printable(function.modalias), function.usual_driver)});
  }
  append(finding.evidence, log_evidence(host, {name}));
  finding.cause = fmt::format(
      "{} would drive it, but is not loaded (blacklisted, perhaps on "
      "purpose), refused it, or it was unbound and forgotten.",
      function.usual_driver);
  finding.consequence =
      "Neither the host nor a machine can use it. It can be given to a machine as "
      "it is.";
  return finding;
}

}  // namespace

Findings card_split(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    std::vector<const PciFunction*> bound;
    for (const auto* function : functions_of(scope.host, *card)) {
      if (!function->driver.empty()) bound.push_back(function);
    }
    auto aside = std::ranges::count_if(
        bound, [](const PciFunction* function) { return is_set_aside(*function); });
    bool mixed = aside > 0 && static_cast<std::size_t>(aside) < bound.size();
    if (mixed) findings.push_back(split(*card, bound));
  }
  return findings;
}

Findings stranded(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    for (const auto* function : functions_of(scope.host, *card)) {
      if (function->driver_override.is_unreadable()) continue;
      Finding finding;
      if (override_left(*function)) {
        finding = left_override(*function);
      } else if (without_driver(*function)) {
        finding = no_driver(scope.host, *function);
      } else {
        continue;
      }
      finding.severity = Severity::warning;
      finding.card = card->address;
      finding.fix = "Bring the card back to its host drivers, or give it away as it is.";
      finding.command = fmt::format("tessera assign {} --to host", model::to_string(card->address));
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

}  // namespace tessera::plan::checks
