// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "kernel/files.h"
#include "model/drivers.h"
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

std::string switch_on(const PciFunction& function) {
  const std::string name = model::to_string(function.address);
  if (function.vendor.value_or(0) == vendor_nvidia) {
    return "sudo /usr/lib/nvidia/sriov-manage -e " + name;
  }
  return fmt::format("echo {} | sudo tee {}", function.vf_total.value(),
                     files::pci_device(name, "sriov_numvfs"));
}

Finding off(const PciFunction& function) {
  const bool on_host = !function.driver.empty() && !model::is_vfio_driver(function.driver);
  Finding finding;
  finding.severity = Severity::note;
  finding.title = fmt::format("{} can be cut into {} virtual functions, and is not",
                              model::to_string(function.address), function.vf_total.value());
  finding.evidence = {
      seen_in(function, "sriov_totalvfs", std::to_string(function.vf_total.value())),
      seen_in(function, "sriov_numvfs", "0"),
      seen_in(function, "driver",
              function.driver.empty() ? std::string(is_not_there) : "-> " + function.driver)};
  finding.cause = "SR-IOV is off after each boot until somebody switches it on.";
  finding.consequence = "There are no slices to give to machines.";
  finding.fix =
      on_host ? "Switch on as many as you need, at most this many. The host driver must allow "
                "it: NVIDIA's needs the vGPU manager, Intel's the option max_vfs. A refusal with "
                "ENOENT says that this driver does not."
              : "The card must be on its host driver first: tessera assign " +
                    model::to_string(function.address) + " --to host.";
  if (on_host) finding.command = switch_on(function);
  return finding;
}

int virtual_functions_of(const HostSnapshot& host, const PciFunction& physical) {
  return static_cast<int>(std::ranges::count_if(host.functions, [&](const PciFunction& function) {
    return function.physical_function == physical.address;
  }));
}

Finding lost(const PciFunction& function, int seen) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = fmt::format("{} of {} virtual functions of {} are there", seen,
                              function.vf_enabled.value(), model::to_string(function.address));
  finding.evidence = {
      seen_in(function, "sriov_numvfs", std::to_string(function.vf_enabled.value())),
      {std::string(files::pci_devices),
       fmt::format("{} whose physfn is {}", seen, model::to_string(function.address))}};
  finding.cause =
      "They were taken out of the kernel's list (remove), or the kernel could not make room for "
      "their bus numbers.";
  finding.consequence = "Those slices cannot be given away, and a machine that had one fails.";
  finding.fix =
      "Stop the machines that use the others, switch all virtual functions off (write 0 to "
      "sriov_numvfs) and on again, and look at the kernel log if some are still missing.";
  return finding;
}

/// Whether everything is known that slices could come from, and there is none of it. A host driver
/// that may offer more (Intel's with GVT-g, NVIDIA's with the vGPU manager) leaves it open.
bool cannot_be_cut(const HostSnapshot& host, const Card& card) {
  const PciFunction* main = host.function(card.address);
  if (!main || !main->capabilities.has_value()) return false;
  const auto& can = main->capabilities.value();
  const bool sr_iov = can.silent || can.sr_iov || main->vf_total.value_or(0) > 0;
  const bool made = !main->mdev_types.empty() || main->vendor_vgpu || !main->mdevs.empty();
  const bool open =
      (main->vendor.value_or(0) == vendor_intel && card.integrated) ||
      (main->vendor.value_or(0) == vendor_nvidia && !host.kernel.has_module("nvidia_vgpu_vfio"));
  return !sr_iov && !made && !open;
}

}  // namespace

Findings sriov_off(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    for (const auto* function : functions_of(scope.host, *card)) {
      const bool can = function->vf_total.value_or(0) > 0;
      if (!can || function->vf_enabled != model::Reading<int>(0)) continue;
      findings.push_back(off(*function));
      findings.back().card = card->address;
    }
  }
  return findings;
}

Findings vf_lost(const CheckScope& scope) {
  Findings findings;
  if (!scope.host.live) return findings;  // a recording may have left them out
  for (const Card* card : scope.cards) {
    for (const auto* function : functions_of(scope.host, *card)) {
      const int seen = virtual_functions_of(scope.host, *function);
      if (function->vf_enabled.value_or(0) <= seen) continue;
      findings.push_back(lost(*function, seen));
      findings.back().card = card->address;
    }
  }
  return findings;
}

Findings sriov_unsupported(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    if (!cannot_be_cut(scope.host, *card)) continue;
    const PciFunction* function = scope.host.function(card->address);
    Finding finding;
    finding.severity = Severity::note;
    finding.card = card->address;
    finding.title = "The card cannot be cut into slices";
    finding.evidence = {seen_in(*function, "config", "no SR-IOV capability"),
                        seen_in(*function, "mdev_supported_types", std::string(is_not_there))};
    finding.cause =
        "The device has no virtual functions, and its driver offers no mediated devices.";
    finding.consequence = "It goes to one machine at a time, as a whole.";
    finding.fix =
        "Give the whole card to one machine. Several machines can share it through the host's own "
        "driver instead: virtio-gpu with virgl or Venus draws on it without slices.";
    finding.command = fmt::format("tessera assign {} --to vm", model::to_string(card->address));
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
