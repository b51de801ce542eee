// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Card;
using model::Finding;
using model::HostSnapshot;
using model::PciFunction;
using model::Severity;

namespace {

bool parameter_is_on(const HostSnapshot& host, const std::string& name) {
  const auto found = host.kernel.parameters.find(name);
  return found != host.kernel.parameters.end() && found->second == "Y";
}

Finding refused(const Card& card, std::vector<model::Evidence> evidence) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = "The NVIDIA driver has refused to let the card go";
  finding.evidence = std::move(evidence);
  finding.cause =
      "Somebody had the card open when it was to be taken away: a display server, "
      "nvidia-persistenced, a monitor of cards, or the console.";
  finding.consequence =
      "That attempt waits inside the kernel until the last user is gone, and what is written to "
      "the driver's files next waits behind it.";
  finding.fix =
      "Stop all that use the card (the finding card-held names them; as root it sees all). An "
      "attempt that hangs ends when the last of them does.";
  finding.command =
      fmt::format("tessera assign {} --to vm --stop-holders", model::to_string(card.address));
  return finding;
}

Finding console(const PciFunction& function) {
  Finding finding;
  finding.severity = Severity::note;
  finding.title = "nvidia-drm may draw the host's text console on the card";
  finding.evidence = {seen_in(function, "driver", "-> nvidia"),
                      {files::module_parameter("nvidia_drm", "modeset"), "Y"},
                      {files::module_parameter("nvidia_drm", "fbdev"), "Y"}};
  finding.cause = "nvidia-drm offers a framebuffer to the console (fbdev=1 with modeset=1).";
  finding.consequence =
      "A console on it counts as a user of the card that no process owns: the driver then does "
      "not let the card go (\"non-zero usage count\").";
  finding.fix =
      "If that happens: log in another way (ssh, serial console), and set fbdev=0 for nvidia-drm "
      "in /etc/modprobe.d and boot again, or bind the card to VFIO before nvidia-drm is loaded.";
  return finding;
}

}  // namespace

Findings driver_will_not_let_go(const CheckScope& scope) {
  Findings findings;
  const bool draws = parameter_is_on(scope.host, "nvidia_drm.modeset") &&
                     parameter_is_on(scope.host, "nvidia_drm.fbdev");
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (!function || function->driver != "nvidia") continue;
    auto refusals = log_evidence_about(scope.host, *function, {"non-zero usage count"});
    if (!refusals.empty()) {
      findings.push_back(refused(*card, std::move(refusals)));
    } else if (draws && function->boot_vga.value_or(false)) {
      findings.push_back(console(*function));
    } else {
      continue;
    }
    findings.back().card = card->address;
  }
  return findings;
}

}  // namespace tessera::plan::checks
