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
using model::Evidence;
using model::Finding;
using model::HostSnapshot;
using model::PciFunction;
using model::Severity;

namespace {

/// What the kernel says of a device that did not come back from a reset or a sleep
/// (drivers/pci/pci.c: pci_dev_wait, pci_power_up).
std::vector<Evidence> failed_resets(const HostSnapshot& host, const PciFunction& function) {
  return log_evidence_about(host, function, {"; giving up", "device inaccessible"});
}

std::string reset_method_file(const PciFunction& function) {
  return files::pci_device(model::to_string(function.address), "reset_method");
}

Finding failed(const PciFunction& function, std::vector<Evidence> evidence) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = fmt::format("{} did not come back from a reset since the host booted",
                              model::to_string(function.address));
  finding.evidence = std::move(evidence);
  finding.cause = "The card does not survive the reset that the kernel chose, or its sleep.";
  finding.consequence =
      "It happened once and can happen at the next stop of a machine: the card then stays away "
      "until the host is switched off.";
  finding.fix = function.vendor.value_or(0) == vendor_amd
                    ? "Try another reset first (the kernel's names are in reset_method). Boards of "
                      "the Polaris, Vega and Navi 10 to 14 families need the vendor-reset module."
                    : "Try another reset: reset_method lists what the kernel can do, and takes "
                      "one of them. Keep the card from sleeping: disable_idle_d3=1 for vfio-pci.";
  if (function.reset_methods.has_value()) {
    finding.evidence.push_back(
        seen_in(function, "reset_method", text::join(function.reset_methods.value(), " ")));
  }
  return finding;
}

/// Whether vendor-reset, which is there, could help and is not asked: on Linux 5.15 and later a
/// device keeps the methods that it had before the module came.
bool vendor_reset_unused(const PciFunction& function) {
  if (function.vendor.value_or(0) != vendor_amd || !is_display(function)) return false;
  if (!function.reset_methods.has_value()) return false;
  const auto& methods = function.reset_methods.value();
  const bool good = std::ranges::find(methods, "flr") != methods.end();
  return !good && (methods.empty() || methods.front() != "device_specific");
}

Finding unused(const PciFunction& function) {
  const auto& methods = function.reset_methods.value();
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = "vendor-reset is loaded, and the card does not use it";
  finding.evidence = {
      {std::string(files::proc_modules), "vendor_reset"},
      seen_in(function, "reset_method",
              methods.empty() ? std::string("is empty") : text::join(methods, " "))};
  finding.cause =
      "The kernel chose the card's reset methods before the module was there, and puts its own "
      "first.";
  finding.consequence =
      "The card is reset in the way that vendor-reset was installed against, if it is of a family "
      "that needs it (Polaris, Vega, Navi 10 to 14).";
  finding.fix =
      "Write device_specific to reset_method after each boot (a line in /etc/tmpfiles.d does it). "
      "A card that vendor-reset does not know refuses it, and nothing is changed.";
  finding.command = "echo device_specific | sudo tee " + reset_method_file(function);
  return finding;
}

/// Devices beside the card on its bus that are not its own: a reset of the bus hits them too.
std::vector<std::string> neighbours(const HostSnapshot& host, const Card& card) {
  const PciFunction* main = host.function(card.address);
  std::vector<std::string> names;
  if (!main || !main->parent) return names;
  for (const PciFunction& function : host.functions) {
    const bool slice = function.physical_function && card.has(*function.physical_function);
    const bool beside = function.parent == main->parent && !card.has(function.address) && !slice;
    if (beside) names.push_back(model::to_string(function.address));
  }
  return names;
}

bool has_no_reset_of_its_own(const HostSnapshot& host, const PciFunction& function) {
  const bool kernel_knows = std::ranges::any_of(
      host.functions, [](const PciFunction& one) { return one.reset_methods.has_value(); });
  return host.live && kernel_knows && function.reset_methods.is_absent();
}

}  // namespace

Findings reset_failed(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    for (const auto* function : functions_of(scope.host, *card)) {
      auto evidence = failed_resets(scope.host, *function);
      if (evidence.empty()) continue;
      findings.push_back(failed(*function, std::move(evidence)));
      findings.back().card = card->address;
    }
  }
  return findings;
}

Findings vendor_reset_needed(const CheckScope& scope) {
  Findings findings;
  if (!scope.host.kernel.has_module("vendor_reset")) return findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (!function || !vendor_reset_unused(*function)) continue;
    findings.push_back(unused(*function));
    findings.back().card = card->address;
  }
  return findings;
}

Findings reset_shared(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (!function || !has_no_reset_of_its_own(scope.host, *function)) continue;
    const auto others = neighbours(scope.host, *card);
    if (others.empty()) continue;
    Finding finding;
    finding.severity = Severity::warning;
    finding.card = card->address;
    finding.title =
        fmt::format("Only a reset of its bus could reset the card, and {} there too",
                    others.size() == 1 ? others.front() + " is"
                                       : fmt::format("{} other devices are", others.size()));
    finding.evidence = {seen_in(*function, "reset_method", std::string(is_not_there)),
                        {files::pci_device(model::to_string(*function->parent)),
                         "is above " + text::join(others, ", ") + " too"}};
    finding.cause = "The card cannot reset itself, and does not have its bus alone.";
    finding.consequence =
        "VFIO resets the bus only for who owns all of it. The card goes to the next machine as "
        "the last one left it.";
    finding.fix = "Move the card, or the other device, to a slot with a port of its own.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
