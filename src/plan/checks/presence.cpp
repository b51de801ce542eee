// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kernel/files.h"
#include "model/drivers.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Finding;
using model::PciFunction;
using model::Severity;

namespace {

bool sleeps(const PciFunction& function) {
  const std::string state = function.power_state.value_or("");
  return state == "D3hot" || state == "D3cold";
}

/// It is listed, and nobody answers: not one that sleeps so deep that it cannot.
bool is_silent(const PciFunction& function) {
  return function.capabilities.has_value() && function.capabilities.value().silent &&
         function.power_state.value_or("") != "D3cold";
}

Finding off_the_bus(const model::HostSnapshot& host, const PciFunction& function) {
  Finding finding;
  finding.severity = Severity::error;
  finding.title = fmt::format("{} does not answer any more: it fell off the bus",
                              model::to_string(function.address));
  finding.evidence = {seen_in(function, "config", "its first 16 bytes are all ff")};
  if (function.power_state.has_value()) {
    finding.evidence.push_back(seen_in(function, "power_state", function.power_state.value()));
  }
  append(finding.evidence,
         log_evidence_about(host, function,
                            {"inaccessible", "not ready", "fallen off the bus", "Link Down"}));
  append(finding.evidence, log_evidence(host, {"has fallen off the bus"}, 1));
  finding.cause =
      "Its link is down: a reset that it did not come back from, power or heat, a loose seat or "
      "riser, or a fault of the card. The kernel still lists it as it was when it last answered.";
  finding.consequence =
      "No driver and no machine can use it; taking it from its driver now may hang.";
  finding.fix =
      "Take it out of the kernel's list and let the kernel look again, which resets nothing; a "
      "card that stays away needs the host switched off (not only restarted), then a look at its "
      "seat and power cables.";
  finding.command = fmt::format("echo 1 | sudo tee {}; echo 1 | sudo tee {}",
                                files::pci_device(model::to_string(function.address), "remove"),
                                files::pci_rescan);
  return finding;
}

bool is_locked(const PciFunction& function) {
  return function.capabilities.is_unreadable() && function.capabilities.why() == "timeout";
}

Finding locked(const model::HostSnapshot& host, const PciFunction& function) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = fmt::format("The kernel keeps {} to itself: it is being reset, or hangs in one",
                              model::to_string(function.address));
  finding.evidence = {seen_in(function, "config", "was not answered within 2 s")};
  append(finding.evidence, log_evidence_about(host, function, {"not ready", "giving up"}));
  finding.cause =
      "While a device is reset nobody else may reach its configuration space. A device that does "
      "not come back is waited for, a minute for each way that there is to reset it.";
  finding.consequence = "What there is to say of it is not known, and nothing can be done with it.";
  finding.fix =
      "Wait a few minutes and look again. The kernel log says \"giving up\" where the card did not "
      "come back.";
  finding.command = "tessera doctor " + model::to_string(function.address);
  return finding;
}

Finding asleep(const PciFunction& function, const std::string& parameter) {
  const std::string state = function.power_state.value();
  Finding finding;
  finding.severity = Severity::note;
  finding.title = fmt::format("The card sleeps ({}) while no machine uses it", state);
  finding.evidence = {seen_in(function, "power_state", state),
                      {parameter, "N"},
                      seen_in(function, "driver", "-> " + function.driver)};
  finding.cause = "vfio-pci puts idle cards to sleep unless disable_idle_d3=1 is set.";
  finding.consequence =
      state == "D3cold"
          ? "Its configuration space was not looked at, because reading would wake it. Most cards "
            "wake up well; one that does not makes a machine's start fail with \"Unable to change "
            "power state from D3cold to D0, device inaccessible\"."
          : "Most cards wake up well; one that does not makes a machine's start fail with "
            "\"Unable to change power state from D3hot to D0\".";
  finding.fix =
      "Nothing, unless a machine's start fails like that: then write \"options vfio-pci "
      "disable_idle_d3=1\" to a file in /etc/modprobe.d, and load vfio-pci again.";
  return finding;
}

}  // namespace

Findings card_off_bus(const CheckScope& scope) {
  Findings findings;
  for (const auto* card : scope.cards) {
    for (const auto* function : functions_of(scope.host, *card)) {
      if (!is_silent(*function) && !is_locked(*function)) continue;
      findings.push_back(is_locked(*function) ? locked(scope.host, *function)
                                              : off_the_bus(scope.host, *function));
      findings.back().card = card->address;
    }
  }
  return findings;
}

Findings card_asleep(const CheckScope& scope) {
  Findings findings;
  const auto& parameters = scope.host.kernel.parameters;
  const auto idle = parameters.find("vfio_pci.disable_idle_d3");
  if (idle == parameters.end() || idle->second != "N") return findings;
  for (const auto* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (!function || !sleeps(*function) || !model::is_vfio_driver(function->driver)) continue;
    findings.push_back(asleep(*function, files::module_parameter("vfio_pci", "disable_idle_d3")));
    findings.back().card = card->address;
  }
  return findings;
}

}  // namespace tessera::plan::checks
