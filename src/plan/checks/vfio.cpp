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

std::string unsafe_path() {
  return files::module("vfio_iommu_type1", "parameters/allow_unsafe_interrupts");
}

std::string noiommu_path() {
  return files::module("vfio", "parameters/enable_unsafe_noiommu_mode");
}

/// How a module's parameter is switched off, now and for the next boot.
std::string parameter_off(std::string_view parameter) {
  return fmt::format(
      "Switch it off now, and take {} out of the files in /etc/modprobe.d and of "
      "the kernel command line.",
      parameter);
}

Finding unsafe_allowed(bool remapping_is_known_absent) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = "VFIO may work without interrupt remapping (allow_unsafe_interrupts=Y)";
  finding.evidence = {{unsafe_path(), "Y"}};
  finding.cause = "Somebody set the option; many guides do so without a reason.";
  finding.consequence =
      "On hardware without interrupt remapping a machine that owns a device can make it send "
      "forged interrupts to the host. On hardware with it the option does nothing.";
  finding.fix = remapping_is_known_absent
                    ? "This host has no interrupt remapping, so the card needs the option: give "
                      "cards to machines you trust only."
                    : parameter_off("allow_unsafe_interrupts");
  if (!remapping_is_known_absent) finding.command = "echo N | sudo tee " + unsafe_path();
  return finding;
}

Finding no_remapping(const model::HostSnapshot& host) {
  Finding finding;
  finding.severity = Severity::error;
  finding.title = "The IOMMU cannot remap interrupts";
  finding.evidence = {{std::string(files::iommu_units),
                       "a unit whose ecap register has bit 3 (interrupt remapping) clear"}};
  append(finding.evidence, log_evidence(host, {"nterrupt remapping", "x2apic"}));
  finding.cause =
      "The hardware is too old for it, or (in a virtual machine) its emulated IOMMU was "
      "made without intremap=on.";
  finding.consequence =
      "VFIO refuses every device (EPERM, \"No interrupt remapping support\"), "
      "because a device could send forged interrupts to the host.";
  finding.fix =
      "In a virtual machine, add intremap=on to its IOMMU. On hardware, only where every "
      "machine is trusted, set allow_unsafe_interrupts=1 for vfio_iommu_type1.";
  return finding;
}

}  // namespace

Findings vfio_driver_missing(const CheckScope& scope) {
  const auto& kernel = scope.host.kernel;
  const std::string release = kernel.release.value_or("RELEASE");
  const std::string path = files::module_table(release, "modules.alias");
  if (kernel.vfio_pci_loaded.value_or(false)) return {};
  if (kernel.vfio_pci_available.is_unreadable()) {
    return {not_readable(path, kernel.vfio_pci_available.why(), "The kernel's list of modules")};
  }
  if (kernel.vfio_pci_available.value_or(true)) return {};
  Finding finding;
  finding.severity = Severity::error;
  finding.title = "This kernel has no VFIO driver for PCI devices";
  finding.evidence = {{path, "no line for vfio_pci"},
                      {files::module("vfio_pci"), std::string(is_not_there)}};
  finding.cause =
      "The running kernel's modules are not installed completely: a cloud kernel, or "
      "an update removed the modules of the kernel that still runs.";
  finding.consequence = "There is no driver that a card could be given away with.";
  finding.fix =
      "Install Debian's full kernel (linux-image-amd64, not a -cloud one) and reboot; "
      "after a kernel update, reboot into the new kernel.";
  finding.command = "sudo apt-get install linux-image-amd64";
  return {finding};
}

Findings unsafe_interrupts(const CheckScope& scope) {
  const auto& kernel = scope.host.kernel;
  if (kernel.unsafe_interrupts_allowed.is_unreadable()) {
    return {not_readable(unsafe_path(), kernel.unsafe_interrupts_allowed.why(),
                         "Whether unsafe interrupts are allowed")};
  }
  bool no_remap = kernel.interrupt_remapping.has_value() && !kernel.interrupt_remapping.value();
  if (kernel.unsafe_interrupts_allowed.value_or(false)) return {unsafe_allowed(no_remap)};
  if (no_remap) return {no_remapping(scope.host)};
  return {};
}

Findings noiommu_mode(const CheckScope& scope) {
  const auto& enabled = scope.host.kernel.noiommu_enabled;
  if (enabled.is_unreadable()) {
    return {not_readable(noiommu_path(), enabled.why(), "VFIO's no-IOMMU option")};
  }
  if (!enabled.value_or(false)) return {};
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = "VFIO may work without an IOMMU (enable_unsafe_noiommu_mode=Y)";
  finding.evidence = {{noiommu_path(), "Y"}};
  finding.cause = "Somebody set the option, usually for user-space network drivers.";
  finding.consequence =
      "A device without a group gets a made-up one and can reach all memory of "
      "the host. QEMU cannot give such a device to a machine, and its first use "
      "taints the kernel.";
  finding.fix = parameter_off("enable_unsafe_noiommu_mode");
  finding.command = "echo N | sudo tee " + noiommu_path();
  return {finding};
}

}  // namespace tessera::plan::checks
