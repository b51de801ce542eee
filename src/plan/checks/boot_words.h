// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "model/host.h"

/// How this host's distribution changes what its kernel is started with: the words and commands of
/// a fix. Sources: update-grub(8), grubby(8), proxmox-boot-tool(8), rpm-ostree(1),
/// update-bootloader(8), the NixOS manual, update-initramfs(8), dracut(8), mkinitcpio(8).
namespace tessera::plan::checks {

/// A thing to do: in words (a clause without a full stop), and as a command, which is empty where
/// an editor is needed.
struct Step {
  std::string words;
  std::string command;
};

/// Adds or removes one kernel argument for the next boot.
Step add_kernel_argument(const model::HostSnapshot& host, std::string_view argument);
Step remove_kernel_argument(const model::HostSnapshot& host, std::string_view argument);

/// Makes the boot loader's own files anew from what stands in /etc already.
Step renew_boot_loader(const model::HostSnapshot& host);

/// Makes the initramfs anew, so that it takes over what changed in /etc/modprobe.d. On a live host
/// without any known tool for it there is nothing to do, and no command.
Step renew_initramfs(const model::HostSnapshot& host);

/// `first`, then `then` where that is a command at all.
std::string both(const std::string& first, const Step& then);

}  // namespace tessera::plan::checks
