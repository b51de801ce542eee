// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

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

constexpr std::string_view types_folder = "mdev_supported_types";
/// NVIDIA's vGPU manager has this module beside nvidia.
constexpr std::string_view vgpu_manager = "nvidia_vgpu_vfio";

bool has_types(const std::vector<const PciFunction*>& parents) {
  return std::ranges::any_of(
      parents, [](const PciFunction* function) { return !function->mdev_types.empty(); });
}

Finding vendors_own(const PciFunction& function) {
  Finding finding;
  finding.severity = Severity::note;
  finding.title = "vGPUs are made with NVIDIA's own files here, not as mediated devices";
  finding.evidence = {seen_in(function, "nvidia", "is there"),
                      seen_in(function, types_folder, std::string(is_not_there))};
  finding.cause =
      "From Linux 6.8 on NVIDIA's vGPU manager offers its own files on each virtual function in "
      "place of mediated devices.";
  finding.consequence =
      "mdevctl and everything that looks for mdev_supported_types finds no type and no parent. "
      "Nothing is broken.";
  finding.fix = fmt::format(
      "Read creatable_vgpu_types in the folder {}, write the number of a type to "
      "current_vgpu_type there (0 takes it back), and give the virtual function to the machine "
      "without moving it to another driver (libvirt: managed='no').",
      files::pci_device(model::to_string(function.address), "nvidia"));
  finding.command =
      "cat " + files::pci_device(model::to_string(function.address), "nvidia/creatable_vgpu_types");
  return finding;
}

Finding no_manager(const PciFunction& function) {
  Finding finding;
  finding.severity = Severity::note;
  finding.title = "The NVIDIA driver here makes no vGPUs";
  finding.evidence = {seen_in(function, "driver", "-> nvidia"),
                      seen_in(function, types_folder, std::string(is_not_there)),
                      {std::string(files::proc_modules), fmt::format("no {}", vgpu_manager)}};
  finding.cause =
      "It is the driver for the host's own use, or the module of NVIDIA's vGPU manager is not "
      "loaded. The manager is another package, with a licence of its own, and knows datacentre "
      "cards.";
  finding.consequence = "There are no slices to give to machines, whatever the card could do.";
  finding.fix =
      "Install the vGPU manager in place of this driver, where the card is on its list, or load "
      "its module; otherwise "
      "give the whole card away.";
  return finding;
}

/// What the host's files show to stand in the way of GVT-g.
std::vector<Evidence> against_gvt(const HostSnapshot& host) {
  std::vector<Evidence> evidence;
  for (const char* option : {"CONFIG_DRM_I915_GVT", "CONFIG_DRM_I915_GVT_KVMGT"}) {
    if (host.kernel.option(option) == "n") evidence.push_back(option_evidence(host, option));
  }
  const auto parameter = host.kernel.parameters.find("i915.enable_gvt");
  if (parameter != host.kernel.parameters.end() && parameter->second == "N") {
    evidence.push_back({files::module_parameter("i915", "enable_gvt"), parameter->second});
  }
  const bool is_built_in = host.kernel.option("CONFIG_DRM_I915_GVT_KVMGT") == "y";
  if (!is_built_in && module_is_missing(host, "kvmgt")) {
    evidence.push_back({std::string(files::proc_modules), "no kvmgt"});
  }
  append(evidence, log_evidence(host, {"GVT-g"}));
  return evidence;
}

bool could_have_gvt(const HostSnapshot& host, const Card& card) {
  const PciFunction* function = host.function(card.address);
  return function && card.integrated && function->vendor.value_or(0) == vendor_intel &&
         function->driver == "i915" && function->mdev_types.empty() &&
         function->vf_total.value_or(0) == 0;
}

}  // namespace

Findings mdev_vendor_framework(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    const auto parents = slice_parents(scope.host, *card);
    if (has_types(parents)) continue;
    const auto with_files = std::ranges::find_if(parents, [](const PciFunction* function) {
      return function->driver == "nvidia" && function->vendor_vgpu;
    });
    if (with_files == parents.end()) continue;
    findings.push_back(vendors_own(**with_files));
    findings.back().card = card->address;
  }
  return findings;
}

Findings mdev_missing(const CheckScope& scope) {
  Findings findings;
  if (!module_is_missing(scope.host, vgpu_manager)) return findings;
  for (const Card* card : scope.cards) {
    const auto parents = slice_parents(scope.host, *card);
    const PciFunction* main = scope.host.function(card->address);
    const bool vendors = std::ranges::any_of(
        parents, [](const PciFunction* function) { return function->vendor_vgpu; });
    if (!main || main->driver != "nvidia" || has_types(parents) || vendors) continue;
    findings.push_back(no_manager(*main));
    findings.back().card = card->address;
  }
  return findings;
}

Findings gvt_conditions(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    if (!could_have_gvt(scope.host, *card)) continue;
    auto evidence = against_gvt(scope.host);
    if (evidence.empty()) continue;
    Finding finding;
    finding.severity = Severity::note;
    finding.card = card->address;
    finding.title = "Intel's GVT-g is not at work, so the graphics offer no slices";
    finding.evidence = std::move(evidence);
    finding.cause =
        "GVT-g wants a kernel built with it, i915.enable_gvt=1, the module kvmgt, and graphics of "
        "the fifth to tenth Core generation (not Ice Lake).";
    finding.consequence = "There are no mediated devices to make.";
    finding.fix =
        "Write \"options i915 enable_gvt=1\" to a file in /etc/modprobe.d and kvmgt to one "
        "in /etc/modules-load.d, and boot again. Where the kernel log then says \"Unsupported "
        "device. GVT-g is disabled\", this generation has none.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
