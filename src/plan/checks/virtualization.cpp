// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Finding;
using model::Severity;

namespace {

constexpr std::string_view slow =
    "Machines run by emulation, ten times slower or worse. VFIO itself works, so a card can still "
    "be given away.";

std::string kvm_module(const model::HostSnapshot& host) {
  switch (platform_of(host)) {
    case Platform::intel:
      return "kvm_intel";
    case Platform::amd:
      return "kvm_amd";
    case Platform::other:
      break;
  }
  return "kvm";
}

}  // namespace

Findings virtualization_off(const CheckScope& scope) {
  const auto& flags = scope.host.kernel.cpu_virtualization;
  const std::string path(files::proc_cpuinfo);
  if (flags.is_unreadable()) return {not_readable(path, flags.why(), "The processor's flags")};
  if (flags.value_or(true)) return {};
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = "The processor does not offer hardware virtualization";
  finding.evidence = {{path, "neither vmx nor svm among the flags"}};
  append(finding.evidence, log_evidence(scope.host, {"disabled by bios", "SVM disabled"}));
  finding.cause =
      "It is switched off in the firmware setup, or this host is itself a virtual "
      "machine without nested virtualization.";
  finding.consequence = slow;
  finding.fix =
      "Switch on \"Intel Virtualization Technology\" (VT-x) or \"SVM mode\" (AMD) in the "
      "firmware setup and switch the host off and on; in a virtual machine, ask its "
      "owner for nested virtualization.";
  return {finding};
}

Findings kvm_missing(const CheckScope& scope) {
  const auto& kernel = scope.host.kernel;
  const std::string path(files::dev_kvm);
  if (kernel.kvm_device.is_unreadable()) {
    return {not_readable(path, kernel.kvm_device.why(), "Whether KVM is there")};
  }
  // Without the processor's help there can be no KVM; virtualization-off says it.
  if (kernel.kvm_device.value_or(true) || !kernel.cpu_virtualization.value_or(true)) return {};
  const std::string module = kvm_module(scope.host);
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = "KVM is not there";
  finding.evidence = {{path, std::string(is_not_there)}};
  append(finding.evidence, log_evidence(scope.host, {"kvm:", "kvm_intel:", "kvm_amd:"}));
  finding.cause =
      "No KVM module is loaded, or it refused this processor (the kernel log says "
      "why).";
  finding.consequence = slow;
  finding.fix = fmt::format("Load the module {}.", module);
  finding.command = fmt::format("tessera module load {}", module);
  return {finding};
}

}  // namespace tessera::plan::checks
