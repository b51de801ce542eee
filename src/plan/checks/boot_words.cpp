// SPDX-License-Identifier: Apache-2.0
#include "plan/checks/boot_words.h"

#include <fmt/format.h>

#include "kernel/files.h"

namespace tessera::plan::checks {

namespace {

constexpr std::string_view grub_variable = "GRUB_CMDLINE_LINUX_DEFAULT";
constexpr std::string_view line_file = kernel::files::kernel_cmdline;
constexpr std::string_view grub_file = kernel::files::grub_default;

/// Takes a whole word out of a line, or puts one in after the opening quote.
std::string sed_remove(std::string_view argument, std::string_view file) {
  return fmt::format(R"(sudo sed -i 's#\(["[:space:]]\){}\(["[:space:]]\)#\1\2#' {})", argument,
                     file);
}
std::string sed_add(std::string_view argument, std::string_view file) {
  return fmt::format(R"(sudo sed -i 's#^{}="#&{} #' {})", grub_variable, argument, file);
}

Step by_grub(std::string_view verb, std::string_view argument, const std::string& edit) {
  return {fmt::format("{} {} {} {} in {}, run update-grub and reboot", verb, argument,
                      verb == "add" ? "to" : "from", grub_variable, grub_file),
          edit + " && sudo update-grub"};
}

}  // namespace

Step add_kernel_argument(const model::HostSnapshot& host, std::string_view argument) {
  const std::string& flow = host.boot.flow;
  if (flow == "proxmox") {
    return {fmt::format("add {} to the one line of {} (where GRUB boots this host, to {} in {}), "
                        "run proxmox-boot-tool refresh and reboot",
                        argument, line_file, grub_variable, grub_file),
            fmt::format("sudo sed -i '1s#$# {}#' {} && sudo proxmox-boot-tool refresh", argument,
                        line_file)};
  }
  if (flow == "fedora") {
    return {fmt::format("add {} with grubby and reboot", argument),
            fmt::format("sudo grubby --update-kernel=ALL --args='{}'", argument)};
  }
  if (flow == "rpm-ostree") {
    return {fmt::format("add {} with rpm-ostree and reboot", argument),
            fmt::format("sudo rpm-ostree kargs --append-if-missing='{}'", argument)};
  }
  if (flow == "suse") {
    return {fmt::format("add {} with update-bootloader and reboot", argument),
            fmt::format("sudo update-bootloader --add-option '{}'", argument)};
  }
  if (flow == "nixos") {
    return {
        fmt::format("add \"{}\" to boot.kernelParams in configuration.nix, run nixos-rebuild boot "
                    "and reboot",
                    argument),
        {}};
  }
  if (flow == "arch") {
    return {fmt::format("add {} to the boot loader's entry (GRUB: {} in {}, then grub-mkconfig -o "
                        "/boot/grub/grub.cfg) and reboot",
                        argument, grub_variable, grub_file),
            {}};
  }
  return by_grub("add", argument, sed_add(argument, grub_file));
}

Step remove_kernel_argument(const model::HostSnapshot& host, std::string_view argument) {
  const std::string& flow = host.boot.flow;
  if (flow == "proxmox") {
    return {
        fmt::format("take {} out of {} (where GRUB boots this host, of {}), run proxmox-boot-tool "
                    "refresh and reboot",
                    argument, line_file, grub_file),
        {}};
  }
  if (flow == "fedora") {
    return {fmt::format("remove {} with grubby and reboot", argument),
            fmt::format("sudo grubby --update-kernel=ALL --remove-args='{}'", argument)};
  }
  if (flow == "rpm-ostree") {
    return {fmt::format("remove {} with rpm-ostree and reboot", argument),
            fmt::format("sudo rpm-ostree kargs --delete-if-present='{}'", argument)};
  }
  if (flow == "suse") {
    return {fmt::format("remove {} with update-bootloader and reboot", argument),
            fmt::format("sudo update-bootloader --del-option '{}'", argument)};
  }
  if (flow == "nixos") {
    return {fmt::format("take \"{}\" out of boot.kernelParams, run nixos-rebuild boot and reboot",
                        argument),
            {}};
  }
  if (flow == "arch") {
    return {fmt::format("take {} out of the boot loader's entry (GRUB: {}, then grub-mkconfig -o "
                        "/boot/grub/grub.cfg) and reboot",
                        argument, grub_file),
            {}};
  }
  return by_grub("remove", argument, sed_remove(argument, grub_file));
}

Step renew_boot_loader(const model::HostSnapshot& host) {
  const std::string& flow = host.boot.flow;
  if (flow == "proxmox") {
    return {"run proxmox-boot-tool refresh and reboot", "sudo proxmox-boot-tool refresh"};
  }
  if (flow == "fedora" || flow == "rpm-ostree") {
    return {"run grub2-mkconfig -o /boot/grub2/grub.cfg and reboot",
            "sudo grub2-mkconfig -o /boot/grub2/grub.cfg"};
  }
  if (flow == "suse") return {"run update-bootloader and reboot", "sudo update-bootloader"};
  if (flow == "nixos") return {"run nixos-rebuild boot and reboot", "sudo nixos-rebuild boot"};
  if (flow == "arch") {
    return {"run grub-mkconfig -o /boot/grub/grub.cfg where GRUB boots this host, and reboot", {}};
  }
  return {"run update-grub and reboot", "sudo update-grub"};
}

Step renew_initramfs(const model::HostSnapshot& host) {
  if (host.boot.flow == "rpm-ostree") {
    return {"make the initramfs anew with rpm-ostree", "sudo rpm-ostree initramfs --enable"};
  }
  if (host.boot.flow == "nixos") {
    return {"make the system anew with nixos-rebuild boot", "sudo nixos-rebuild boot"};
  }
  if (host.boot.initramfs == "dracut") {
    return {"make the initramfs anew with dracut", "sudo dracut --force --regenerate-all"};
  }
  if (host.boot.initramfs == "mkinitcpio") {
    return {"make the initramfs anew with mkinitcpio", "sudo mkinitcpio -P"};
  }
  if (host.complete && host.boot.initramfs.empty()) return {"load the module anew", ""};
  return {"make the initramfs anew with update-initramfs", "sudo update-initramfs -u -k all"};
}

std::string both(const std::string& first, const Step& then) {
  return then.command.empty() ? first : first + " && " + then.command;
}

}  // namespace tessera::plan::checks
