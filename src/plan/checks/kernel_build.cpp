// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Finding;
using model::HostSnapshot;
using model::Severity;

Findings iommufd_missing(const CheckScope& scope) {
  const HostSnapshot& host = scope.host;
  if (scope.cards.empty() || host.kernel.option("CONFIG_IOMMUFD").empty()) return {};
  const bool without = host.kernel.option("CONFIG_IOMMUFD") == "n";
  const bool without_cdev = !without && host.kernel.option("CONFIG_VFIO_DEVICE_CDEV") == "n";
  if (!without && !without_cdev) return {};
  Finding finding;
  finding.severity = Severity::note;
  finding.title = without ? "This kernel was built without IOMMUFD"
                          : "This kernel was built without VFIO's device files for IOMMUFD";
  finding.evidence = {
      option_evidence(host, without ? "CONFIG_IOMMUFD" : "CONFIG_VFIO_DEVICE_CDEV")};
  finding.cause = "The distribution chose so.";
  finding.consequence =
      "Cards go to machines the older way, through groups; QEMU's -object iommufd "
      "and libvirt's <iommufd> do not work. Nothing else is lost.";
  finding.fix =
      "Leave it, unless a machine asks for IOMMUFD: then take a kernel with "
      "CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV.";
  return {finding};
}

Findings kernel_locked_down(const CheckScope& scope) {
  const std::string mode = scope.host.kernel.lockdown.value_or("none");
  if (mode.empty() || mode == "none") return {};
  Finding finding;
  finding.severity = Severity::note;
  finding.title = fmt::format("The kernel is locked down ({})", text::printable(mode));
  finding.evidence = {{std::string(files::lockdown), fmt::format("[{}]", text::printable(mode))}};
  finding.cause =
      "Secure Boot switches it on in most distributions; lockdown= on the command line does too.";
  finding.consequence =
      "Modules without a valid signature are refused (vendor-reset, SR-IOV drivers and NVIDIA's "
      "built "
      "by DKMS), and user programs cannot write to PCI configuration space. VFIO itself works.";
  finding.fix =
      "Enrol a key of your own and sign the modules that you build (mokutil --import), or "
      "switch Secure Boot off.";
  return {finding};
}

Findings module_rejected(const CheckScope& scope) {
  auto lines = log_evidence(scope.host, {"unsigned module loading is restricted",
                                         "Loading of unsigned module is rejected",
                                         "Loading of module with unavailable key is rejected",
                                         "PKCS#7 signature not signed with a trusted key"});
  if (lines.empty()) return {};
  Finding finding;
  finding.severity = Severity::error;
  finding.title = "The kernel refused a module because of its signature";
  finding.evidence = std::move(lines);
  if (scope.host.kernel.secure_boot.has_value()) {
    finding.evidence.push_back(
        {std::string(files::efi_secure_boot), scope.host.kernel.secure_boot.value() ? "1" : "0"});
  }
  finding.cause =
      "Secure Boot is on, and the module was built here without a key that the firmware knows.";
  finding.consequence =
      "Its driver is missing: no vGPU, no SR-IOV, or no reset, whichever it was for.";
  finding.fix =
      "Sign it with a key that is enrolled: DKMS makes one in /var/lib/dkms/mok.pub; enrol it, "
      "reboot, and confirm on the screen.";
  finding.command = "sudo mokutil --import /var/lib/dkms/mok.pub";
  return {finding};
}

Findings free_driver_has_card(const CheckScope& scope) {
  Findings findings;
  for (const auto* card : scope.cards) {
    const auto* function = scope.host.function(card->address);
    if (function == nullptr || (function->driver != "nouveau" && function->driver != "nova_core"))
      continue;
    if (!scope.host.kernel.has_module("nvidia")) continue;
    Finding finding;
    finding.severity = Severity::warning;
    finding.card = card->address;
    finding.title =
        fmt::format("{} has the card, although NVIDIA's driver is loaded", function->driver);
    finding.evidence = {
        {files::pci_device(to_string(card->address), "driver"), "-> " + function->driver},
        {std::string(files::proc_modules), "nvidia is loaded"}};
    finding.cause = "The free driver was there first.";
    finding.consequence =
        "NVIDIA's driver says \"No supported GPU\", and makes no vGPU of this card.";
    finding.fix = fmt::format(
        "Keep {} away with \"blacklist {}\" in {}, make the initramfs anew and "
        "reboot.",
        function->driver, function->driver, files::modprobe_folder);
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
