// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/checks/boot_words.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Finding;
using model::HostSnapshot;
using model::Severity;

namespace {

/// The parameter that switched the IOMMU off, if one did.
std::string_view off_parameter(const HostSnapshot& host) {
  for (std::string_view word : {"intel_iommu=off", "amd_iommu=off", "iommu=off"}) {
    if (on_command_line(host, word)) return word;
  }
  return {};
}

std::string firmware_fix(const HostSnapshot& host) {
  switch (platform_of(host)) {
    case Platform::intel:
      return fmt::format(
          "Switch on VT-d (\"Intel VT for Directed I/O\") in the firmware setup and reboot. "
          "Debian's kernel then needs no parameter for a discrete card. If the kernel log lists a "
          "DMAR table and there are still no groups, the kernel was built with the IOMMU off by "
          "default: {}.",
          add_kernel_argument(host, "intel_iommu=on").words);
    case Platform::amd:
      return "Switch on the IOMMU (\"AMD-Vi\", often in the northbridge or NBIO menu) in the "
             "firmware setup and reboot. Linux uses it without any parameter; amd_iommu=on is not "
             "an option and changes nothing.";
    case Platform::other:
      break;
  }
  return "Switch on the IOMMU in the firmware setup (Intel: VT-d, AMD: AMD-Vi, Arm: SMMU) and "
         "reboot.";
}

Finding iommu_is_off(const HostSnapshot& host) {
  Finding finding;
  finding.severity = Severity::error;
  finding.title = "The IOMMU is off: the kernel has made no IOMMU group";
  bool directory = host.kernel.iommu_groups_present.value_or(false);
  std::string units = host.kernel.iommu_units.empty()
                          ? "has no unit"
                          : "lists " + text::join(host.kernel.iommu_units, ", ");
  finding.evidence = {
      {std::string(files::iommu_groups), std::string(directory ? "is empty" : is_not_there)},
      {std::string(files::iommu_units), units}};
  append(finding.evidence, command_line_evidence(host));
  append(finding.evidence, log_evidence(host, {"DMAR", "AMD-Vi", "IOMMU"}));
  if (std::string_view off = off_parameter(host); !off.empty()) {
    finding.cause = fmt::format("The kernel was started with {}.", off);
    const Step remove = remove_kernel_argument(host, off);
    finding.fix = fmt::format("Start the kernel without {}: {}.", off, remove.words);
    finding.command = remove.command;
  } else {
    finding.cause =
        "The firmware does not offer the IOMMU to the kernel (it is switched off in "
        "its setup, or the machine has none), or the kernel does not use it.";
    finding.fix = firmware_fix(host);
  }
  finding.consequence =
      "Without an IOMMU nothing keeps a device that a machine owns away from the "
      "host's memory, so VFIO gives no device away.";
  return finding;
}

std::string integrated_fix(const HostSnapshot& host) {
  return fmt::format(
      "Start the kernel with intel_iommu=on: {}. Debian's kernel leaves the IOMMU off for the "
      "integrated graphics unless it is asked (CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF).",
      add_kernel_argument(host, "intel_iommu=on").words);
}

}  // namespace

Findings iommu_off(const CheckScope& scope) {
  const HostSnapshot& host = scope.host;
  const auto& present = host.kernel.iommu_groups_present;
  if (!host.groups.empty()) return {};
  if (present.is_unreadable()) {
    return {not_readable(std::string(files::iommu_groups), present.why(), "The IOMMU groups")};
  }
  bool proven = host.complete || present.value_or(false);
  if (!proven) return {};
  return {iommu_is_off(host)};
}

Findings no_group(const CheckScope& scope) {
  const HostSnapshot& host = scope.host;
  // A recording may simply not hold a function's iommu_group link.
  if (!host.complete || host.groups.empty()) return {};
  Findings findings;
  for (const model::Card* card : scope.cards) {
    Finding finding;
    for (const auto* function : functions_of(host, *card)) {
      if (!function->iommu_group.is_absent()) continue;
      finding.evidence.push_back(
          {files::pci_device(model::to_string(function->address), "iommu_group"),
           std::string(is_not_there)});
    }
    if (finding.evidence.empty()) continue;
    append(finding.evidence, command_line_evidence(host));
    bool graphics_off = card->integrated && platform_of(host) == Platform::intel;
    finding.severity = Severity::error;
    finding.card = card->address;
    finding.title = "The card is in no IOMMU group, although other devices are";
    finding.cause = graphics_off
                        ? "The kernel leaves the integrated graphics out of the IOMMU."
                        : "No IOMMU unit of this host is responsible for it: the firmware's tables "
                          "leave it out, or it sits behind a host bridge without IOMMU.";
    finding.consequence = "VFIO refuses a device without a group.";
    finding.fix = graphics_off ? integrated_fix(host)
                               : "Look for a firmware update; on a virtual machine that rehearses "
                                 "a host, put the card behind the emulated IOMMU.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
