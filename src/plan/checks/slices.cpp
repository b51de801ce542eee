// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "kernel/files.h"
#include "plan/checks/bus_errors.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"
#include "plan/isolation.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Card;
using model::Finding;
using model::PciFunction;

namespace {

std::string remove_virtual_functions(const PciFunction& function) {
  const std::string name = model::to_string(function.address);
  if (function.vendor.value_or(0) == vendor_nvidia) {
    return "sudo /usr/lib/nvidia/sriov-manage -d " + name;
  }
  return "echo 0 | sudo tee " + files::pci_device(name, "sriov_numvfs");
}

std::string title_of(int virtual_functions, std::size_t mdevs) {
  if (mdevs == 0)
    return fmt::format("The card is cut into {} virtual functions", virtual_functions);
  if (virtual_functions == 0) {
    return fmt::format("The card carries {} mediated device{}", mdevs, mdevs == 1 ? "" : "s");
  }
  return fmt::format("The card is cut into {} virtual functions, with {} mediated device{}",
                     virtual_functions, mdevs, mdevs == 1 ? "" : "s");
}

}  // namespace

/// What the driver's reports say against new slices speaks against a machine with the whole card as
/// well.
Findings card_health(const CheckScope& scope) {
  Findings findings;
  std::ranges::copy_if(scope.host.cordons, std::back_inserter(findings), [&](const auto& cordon) {
    return cordon.id != bus_errors_id && std::ranges::any_of(scope.cards, [&](const Card* card) {
             return cordon.card == card->address;
           });
  });
  return findings;
}

Findings slices_in_use(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    Finding finding;
    int virtual_functions = 0;
    std::size_t mdevs = 0;
    for (const auto* function : slice_parents(scope.host, *card)) {
      const std::string name = model::to_string(function->address);
      if (int enabled = function->vf_enabled.value_or(0); enabled > 0) {
        virtual_functions += enabled;
        finding.evidence.push_back(
            {files::pci_device(name, "sriov_numvfs"), std::to_string(enabled)});
        finding.command = remove_virtual_functions(*function);
      }
      for (const std::string& uuid : function->mdevs) {
        if (mdevs == 0) finding.command = "sudo mdevctl stop -u " + uuid;
        ++mdevs;
        finding.evidence.push_back({files::pci_device(name, uuid), "is there"});
      }
    }
    if (finding.evidence.empty()) continue;
    finding.severity = model::Severity::error;
    finding.card = card->address;
    finding.title = title_of(virtual_functions, mdevs);
    finding.cause = "Slices of it were made for machines.";
    finding.consequence =
        "Giving the whole card away takes it from the driver that the slices "
        "live on: they would vanish under the machines that use them.";
    finding.fix =
        "Stop the machines that use the slices, then remove the slices: mediated devices "
        "first, virtual functions last. Or give away a slice in place of the card.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
