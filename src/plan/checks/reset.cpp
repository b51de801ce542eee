// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
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

constexpr std::string_view may_not_start_again =
    "The card may keep the last machine's state: what was in its memory, and sometimes a hang that "
    "only a reboot of the host ends.";

std::string reset_path(const PciFunction& function) {
  return files::pci_device(model::to_string(function.address), "reset_method");
}

bool is_amd(const PciFunction& function) {
  return function.vendor.value_or(0) == vendor_amd;
}

std::string fix_without_own_reset(const Card& card, const PciFunction& function) {
  if (is_amd(function)) {
    return "Boards of the Polaris, Vega and Navi 10 to 14 families need the vendor-reset module, "
           "which adds a device_specific reset; write device_specific to reset_method then. For "
           "others, try the machine's start and stop twice before you rely on it.";
  }
  if (card.functions.size() > 1) {
    return "Give all functions of the card to one machine, as tessera assign does: VFIO can then "
           "reset the whole card through its bus. Try the machine's start and stop twice before "
           "you rely on it.";
  }
  return "Try the machine's start and stop twice before you rely on it; a slot with a port of its "
         "own lets the kernel reset the card through its bus.";
}

Finding switched_off(const PciFunction& function) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = "Reset of the card is switched off";
  finding.evidence = {{reset_path(function), "is empty"}};
  finding.cause = "Somebody wrote an empty line to the file.";
  finding.consequence = may_not_start_again;
  finding.fix = "Let the kernel choose again from all methods that the card has.";
  finding.command = "echo default | sudo tee " + reset_path(function);
  return finding;
}

Finding no_method(const Card& card, const PciFunction& function) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = "The kernel knows no way to reset the card's main function by itself";
  finding.evidence = {{reset_path(function), std::string(is_not_there)}};
  finding.cause = card.functions.size() > 1
                      ? fmt::format(
                            "It has neither a function-level nor a power-management reset, "
                            "and a bus reset would reset its {} other functions with it.",
                            card.functions.size() - 1)
                      : "It has neither a function-level nor a power-management reset, and shares "
                        "its bus with other devices.";
  finding.consequence = may_not_start_again;
  finding.fix = fix_without_own_reset(card, function);
  return finding;
}

Finding bus_only(const Card& card, const PciFunction& function) {
  Finding finding;
  finding.severity = is_amd(function) ? Severity::warning : Severity::note;
  finding.title = "The card can be reset through its bus only";
  finding.evidence = {{reset_path(function), "bus"}};
  finding.cause = "It has no function-level reset (FLR); the kernel resets the link above it.";
  finding.consequence = is_amd(function)
                            ? "Several AMD families do not come back from a bus reset: the second "
                              "start of a machine fails until the host reboots."
                            : "Most cards come back from that; it takes about a second longer.";
  finding.fix = is_amd(function) ? fix_without_own_reset(card, function)
                                 : "Nothing, unless the second start of a machine fails.";
  return finding;
}

/// reset_method exists since Linux 5.15; on an older kernel its absence says nothing.
bool kernel_shows_reset_methods(const HostSnapshot& host) {
  return std::ranges::any_of(host.functions, [](const PciFunction& function) {
    return function.reset_methods.has_value();
  });
}

}  // namespace

Findings weak_reset(const CheckScope& scope) {
  Findings findings;
  bool absence_counts = scope.host.complete && kernel_shows_reset_methods(scope.host);
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (!function) continue;
    const auto& methods = function->reset_methods;
    std::vector<Finding> found;
    if (methods.is_unreadable()) {
      found.push_back(not_readable(reset_path(*function), methods.why(), "The reset methods"));
    } else if (methods.is_absent()) {
      if (absence_counts) found.push_back(no_method(*card, *function));
    } else if (methods.value().empty()) {
      found.push_back(switched_off(*function));
    } else if (methods.value() == std::vector<std::string>{"bus"}) {
      found.push_back(bus_only(*card, *function));
    }
    for (Finding& finding : found) {
      finding.card = card->address;
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

}  // namespace tessera::plan::checks
