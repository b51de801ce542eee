// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "model/settings.h"
#include "plan/checks/boot_words.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Evidence;
using model::Finding;
using model::HostSnapshot;
using model::Severity;

namespace {

std::vector<std::string> arguments_of(const HostSnapshot& host) {
  return model::kernel_arguments(host.kernel.command_line.value_or(""));
}

bool started_with(const HostSnapshot& host, std::string_view argument) {
  const auto arguments = arguments_of(host);
  return std::ranges::find(arguments, argument) != arguments.end();
}

std::string capitalized(std::string words) {
  if (!words.empty() && words.front() >= 'a' && words.front() <= 'z') {
    words.front() = static_cast<char>(words.front() - 'a' + 'A');
  }
  return words + ".";
}

/// A finding about one argument of the running kernel, whose fix is to take it out.
Finding about_argument(const HostSnapshot& host, std::string_view argument, Severity severity) {
  const Step step = remove_kernel_argument(host, argument);
  Finding finding;
  finding.severity = severity;
  finding.evidence = {{std::string(files::proc_cmdline), text::printable(argument)}};
  finding.fix = capitalized(step.words);
  finding.command = step.command;
  return finding;
}

/// The kernel's own list of what it did not know: "Unknown kernel command line parameters
/// "a b=c", will be passed to user space." (init/main.c, print_unknown_bootoptions).
std::vector<std::string> unknown_arguments(const HostSnapshot& host) {
  for (const auto& line : host.kernel_log) {
    if (line.find("Unknown kernel command line parameters") == std::string::npos) continue;
    const auto open = line.find('"');
    const auto close = line.rfind('"');
    if (open == std::string::npos || close <= open) continue;
    return model::kernel_arguments(line.substr(open + 1, close - open - 1));
  }
  return {};
}

/// What boot loaders put there for themselves, and what user space asks for on purpose.
bool is_for_user_space(std::string_view argument) {
  const auto starts = [&](std::string_view start) { return argument.starts_with(start); };
  return starts("BOOT_IMAGE=") || starts("systemd.") || starts("rd.") || starts("splash") ||
         starts("tessera.") || starts("initrd=");
}

/// Names whose absence from the running kernel matters to cards.
bool concerns_cards(std::string_view argument) {
  constexpr std::string_view names[] = {
      "intel_iommu",        "amd_iommu",          "iommu",        "vfio-pci.ids",
      "vfio_pci.ids",       "hugepages",          "hugepagesz",   "video",
      "default_hugepagesz", "initcall_blacklist", "i915.max_vfs", "xe.max_vfs",
      "i915.enable_guc",    "i915.enable_gvt",    "intremap",     "pci",
      "module_blacklist",   "modprobe.blacklist"};
  const auto name = argument.substr(0, argument.find('='));
  return std::ranges::find(names, name) != std::end(names);
}

struct Wanted {
  std::string argument;
  Evidence where;
};

/// The arguments that the boot loader's settings ask for.
std::vector<Wanted> wanted_arguments(const HostSnapshot& host) {
  std::vector<Wanted> wanted;
  for (const auto& file : host.settings) {
    const auto kind = model::settings_kind(file.path);
    if (kind == model::SettingsKind::kernel_command_line) {
      for (const auto& argument : model::kernel_arguments(file.text)) {
        wanted.push_back({argument, {file.path, text::printable(text::trim(file.text))}});
      }
    } else if (kind == model::SettingsKind::grub) {
      for (const auto& line : model::assignments(file)) {
        const bool fits = line.words[0] == "GRUB_CMDLINE_LINUX=" ||
                          line.words[0] == "GRUB_CMDLINE_LINUX_DEFAULT=";
        if (!fits) continue;
        for (const auto& argument : model::kernel_arguments(line.words[1])) {
          wanted.push_back(
              {argument,
               {fmt::format("{}:{}", line.path, line.number), text::printable(line.text)}});
        }
      }
    }
  }
  return wanted;
}

}  // namespace

Findings amd_iommu_on(const CheckScope& scope) {
  if (!started_with(scope.host, "amd_iommu=on")) return {};
  Finding finding = about_argument(scope.host, "amd_iommu=on", Severity::note);
  finding.title = "amd_iommu=on is not an option of the kernel";
  append(finding.evidence, log_evidence(scope.host, {"Unknown option - 'on'"}, 1));
  finding.cause = "Many guides ask for it; AMD's IOMMU is on whenever the firmware offers it.";
  finding.consequence = "None: the kernel says that it does not know the option, and goes on.";
  return {finding};
}

Findings other_makers_argument(const CheckScope& scope) {
  const HostSnapshot& host = scope.host;
  const Platform platform = platform_of(host);
  Findings findings;
  for (const auto& argument : arguments_of(host)) {
    const bool wrong = (platform == Platform::amd && argument.starts_with("intel_iommu=")) ||
                       (platform == Platform::intel && argument.starts_with("amd_iommu=") &&
                        argument != "amd_iommu=on");
    if (!wrong) continue;
    Finding finding = about_argument(host, argument, Severity::note);
    finding.title =
        fmt::format("{} is for the other maker's processors", text::printable(argument));
    finding.evidence.push_back({files::pci_device("0000:00:00.0", "vendor"),
                                platform == Platform::amd ? "0x1022 (AMD)" : "0x8086 (Intel)"});
    finding.cause = "The option was copied from a guide for another machine.";
    finding.consequence = "None: nothing in this host listens to it.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings iommu_passthrough_argument(const CheckScope& scope) {
  const auto arguments = arguments_of(scope.host);
  const bool pt = model::argument_value(arguments, "iommu") == "pt";
  const bool passthrough = model::argument_value(arguments, "iommu.passthrough") == "1";
  if (!pt && !passthrough) return {};
  Finding finding =
      about_argument(scope.host, pt ? "iommu=pt" : "iommu.passthrough=1", Severity::note);
  finding.title = "The host's own devices may reach all of its memory (iommu=pt)";
  finding.cause =
      "The option gives devices that the host keeps an identity mapping. It is often taken for a "
      "switch that giving cards away needs.";
  finding.consequence =
      "A machine with a card is neither faster nor different with it. What it changes is the "
      "host: less work for its own fast devices, and no protection from them.";
  finding.fix = "Keep it if the host's own network or disks need the speed. Otherwise " +
                remove_kernel_argument(scope.host, pt ? "iommu=pt" : "iommu.passthrough=1").words +
                ".";
  return {finding};
}

Findings interrupt_remapping_off(const CheckScope& scope) {
  const auto arguments = arguments_of(scope.host);
  std::string argument;
  if (model::argument_value(arguments, "intremap") == "off") argument = "intremap=off";
  if (model::argument_value(arguments, "nointremap")) argument = "nointremap";
  if (argument.empty()) return {};
  Finding finding = about_argument(scope.host, argument, Severity::error);
  finding.title = fmt::format("Interrupt remapping was switched off ({})", argument);
  append(finding.evidence, log_evidence(scope.host, {"nterrupt remapping"}));
  finding.cause = "The kernel was started with it.";
  finding.consequence =
      "VFIO refuses every device (EPERM, \"No interrupt remapping support\"), because a device "
      "could send forged interrupts to the host.";
  return {finding};
}

Findings unknown_kernel_parameter(const CheckScope& scope) {
  Findings findings;
  for (const auto& argument : unknown_arguments(scope.host)) {
    if (is_for_user_space(argument)) continue;
    Finding finding = about_argument(scope.host, argument, Severity::warning);
    const bool acs = argument.starts_with("pcie_acs_override");
    finding.title =
        fmt::format("The kernel did not know its parameter {}", text::printable(argument));
    append(finding.evidence,
           log_evidence(scope.host, {"Unknown kernel command line parameters"}, 1));
    finding.cause =
        acs ? "pcie_acs_override exists in kernels with a patch only; this one has none."
            : "It is misspelled, or belongs to another kernel or to a module's name that "
              "is written otherwise.";
    finding.consequence =
        acs ? "None: the groups are what the hardware makes them. Where the patch is in, the "
              "option "
              "makes the kernel claim an isolation that the hardware does not give."
            : "It did nothing; what it was meant to switch on is off.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings framebuffer_argument_ignored(const CheckScope& scope) {
  const auto arguments = arguments_of(scope.host);
  const bool bound = std::ranges::any_of(scope.host.framebuffers, [](const auto& framebuffer) {
    return !framebuffer.driver.empty() || framebuffer.label == "BOOTFB";
  });
  if (!bound) return {};
  Findings findings;
  for (const auto& argument : arguments) {
    const bool meant = argument.starts_with("initcall_blacklist=sysfb_init") ||
                       (argument.starts_with("video=") && argument.ends_with("fb:off"));
    if (!meant) continue;
    Finding finding = about_argument(scope.host, argument, Severity::warning);
    finding.title =
        fmt::format("{} did not keep the boot framebuffer off", text::printable(argument));
    for (const auto& framebuffer : scope.host.framebuffers) {
      if (framebuffer.device.empty()) continue;
      finding.evidence.push_back(
          {files::platform_device(framebuffer.device, "driver"),
           framebuffer.driver.empty() ? std::string(is_not_there) : "-> " + framebuffer.driver});
    }
    finding.cause = "simpledrm does not listen to the options of the older framebuffer drivers.";
    finding.consequence = "The framebuffer still lies on a card's memory, which that card needs.";
    finding.fix =
        "Detach the framebuffer while the host runs; tessera assign does it as a part of "
        "its plan. The option can go: " +
        remove_kernel_argument(scope.host, argument).words + ".";
    const auto device = std::ranges::find_if(scope.host.framebuffers,
                                             [](const auto& one) { return !one.device.empty(); });
    finding.command = device != scope.host.framebuffers.end()
                          ? fmt::format("sudo tessera framebuffer detach {}", device->device)
                          : std::string();
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings dracut_argument_ignored(const CheckScope& scope) {
  if (scope.host.boot.initramfs != "initramfs-tools") return {};
  Findings findings;
  for (const auto& argument : arguments_of(scope.host)) {
    if (!argument.starts_with("rd.driver.")) continue;
    Finding finding = about_argument(scope.host, argument, Severity::warning);
    finding.title = fmt::format("{} is an option of dracut, and this host does not use dracut",
                                text::printable(argument));
    finding.evidence.push_back({std::string(files::initramfs_tools[1].path), "is there"});
    finding.cause = "The option was copied from a guide for Fedora or Red Hat.";
    finding.consequence = "It did nothing: no driver was loaded earlier, or kept away, by it.";
    finding.fix = fmt::format(
        "Give cards away with tessera assign, which needs no order of loading; or write the order "
        "into {} (\"softdep nouveau pre: vfio-pci\") and {}. Then {}.",
        files::modprobe_folder, renew_initramfs(scope.host).words,
        remove_kernel_argument(scope.host, argument).words);
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings argument_not_in_effect(const CheckScope& scope) {
  const HostSnapshot& host = scope.host;
  if (!host.kernel.command_line.has_value()) return {};
  const auto running = arguments_of(host);
  Findings findings;
  for (const auto& [argument, where] : wanted_arguments(host)) {
    if (!concerns_cards(argument) || std::ranges::find(running, argument) != running.end())
      continue;
    Finding finding;
    finding.severity = Severity::warning;
    finding.title = fmt::format(
        "{} is in the boot loader's settings, but this kernel was started "
        "without it",
        text::printable(argument));
    finding.evidence = {where};
    append(finding.evidence, command_line_evidence(host));
    finding.cause =
        "The settings were changed after the last boot, the boot loader's own files were not made "
        "anew, or this host is booted by another loader than the one that reads the file.";
    finding.consequence = "What the option switches on is off.";
    const Step renew = renew_boot_loader(host);
    finding.fix = fmt::format("For the next boot: {}.", renew.words);
    finding.command = renew.command;
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
