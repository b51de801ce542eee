// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kernel/files.h"
#include "model/drivers.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Card;
using model::Finding;
using model::PciFunction;
using model::Severity;

namespace {

bool is_audio(const PciFunction& function) {
  return function.class_code.has_value() && model::sub_class(function.class_code.value()) == 0x0403;
}

bool in_other_groups(const PciFunction& one, const PciFunction& other) {
  return one.iommu_group.has_value() && other.iommu_group.has_value() &&
         one.iommu_group != other.iommu_group;
}

Finding apart(const PciFunction& main, const PciFunction& audio) {
  const bool other_slot = model::slot_name(main.address) != model::slot_name(audio.address);
  Finding finding;
  finding.severity = Severity::note;
  finding.title = fmt::format(
      "The card's sound, {}, is {}", model::to_string(audio.address),
      other_slot ? "on another bus than its picture" : "in another IOMMU group than its picture");
  for (const auto* function : {&main, &audio}) {
    finding.evidence.push_back(
        function->iommu_group.has_value()
            ? seen_in(*function, "iommu_group", fmt::format("-> {}", function->iommu_group.value()))
            : seen_in(*function, "", "is there"));
  }
  finding.cause = other_slot ? "The card carries a switch, with its functions below it."
                             : "The hardware keeps the card's functions apart from each other.";
  finding.consequence =
      "A machine that is given one address or one group gets a picture without sound, and the "
      "sound is left to the host.";
  finding.fix = "Give both; tessera assign always moves the whole card.";
  return finding;
}

/// The card's main function, where a module made for it is its best VFIO driver.
const PciFunction* with_variant(const model::HostSnapshot& host, const Card& card) {
  const PciFunction* function = host.function(card.address);
  const bool variant =
      function && !function->vfio_module.empty() && function->vfio_module != "vfio_pci";
  return variant ? function : nullptr;
}

model::Evidence module_evidence(const model::HostSnapshot& host, const PciFunction& function) {
  return {files::module_table(host.kernel.release.value_or("RELEASE"), "modules.alias"),
          fmt::format("{} names {}", function.vfio_module, model::to_string(function.address))};
}

}  // namespace

Findings audio_split(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* main = scope.host.function(card->address);
    for (const auto* function : functions_of(scope.host, *card)) {
      if (!main || !is_audio(*function)) continue;
      const bool other_slot =
          model::slot_name(main->address) != model::slot_name(function->address);
      if (!other_slot && !in_other_groups(*main, *function)) continue;
      findings.push_back(apart(*main, *function));
      findings.back().card = card->address;
    }
  }
  return findings;
}

Findings variant_driver(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = with_variant(scope.host, *card);
    if (!function || model::is_vfio_driver(function->driver)) continue;
    Finding finding;
    finding.severity = Severity::note;
    finding.card = card->address;
    finding.title = fmt::format("This kernel has a VFIO driver made for the card: {}",
                                model::vfio_driver_of_module(function->vfio_module));
    finding.evidence = {module_evidence(scope.host, *function)};
    finding.cause = "Its module names the card's id among those that it is made for.";
    finding.consequence =
        "It does what plain vfio-pci cannot (moving a running machine, or the card's own memory). "
        "Guides that write vfio-pci by hand miss it.";
    finding.fix = "Nothing: tessera assign takes it.";
    finding.command = fmt::format("tessera assign {} --to vm", model::to_string(card->address));
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings vfio_driver_not_best(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = with_variant(scope.host, *card);
    if (!function || function->driver != "vfio-pci") continue;
    const std::string best = model::vfio_driver_of_module(function->vfio_module);
    const std::string address = model::to_string(card->address);
    Finding finding;
    finding.severity = Severity::warning;
    finding.card = card->address;
    finding.title = fmt::format("The card is on vfio-pci, and {} is made for it", best);
    finding.evidence = {seen_in(*function, "driver", "-> vfio-pci"),
                        module_evidence(scope.host, *function)};
    finding.cause = "It was bound by hand, by ids=, or by a tool that knows vfio-pci only.";
    finding.consequence =
        "A machine works with it, and lacks what that driver adds: moving while it runs, or the "
        "card's own memory.";
    finding.fix = fmt::format("Bring it back to the host and give it again, which takes {}.", best);
    finding.command =
        fmt::format("tessera assign {0} --to host && tessera assign {0} --to vm", address);
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
