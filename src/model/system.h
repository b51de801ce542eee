// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/reading.h"

namespace tessera::model {

/// Options of a kernel's build: "CONFIG_IOMMUFD" gives "y", "m", "n" or a value.
using KernelConfig = std::map<std::string, std::string, std::less<>>;

/// Facts of the running kernel that decide whether a card can be given away.
struct KernelFacts {
  Reading<std::string> release;
  Reading<std::string> command_line;
  std::vector<std::string> iommu_units;  ///< "dmar0", "ivhd0", ...
  /// /sys/kernel/iommu_groups is there, even if empty; absent in a recording without it.
  Reading<bool> iommu_groups_present;
  Reading<bool> cpu_virtualization;  ///< vmx or svm among the CPU's flags
  Reading<bool> kvm_device;          ///< /dev/kvm is there
  Reading<bool> vfio_pci_available;  ///< module listed in modules.alias, or present
  Reading<bool> vfio_pci_loaded;
  Reading<bool> unsafe_interrupts_allowed;  ///< vfio_iommu_type1.allow_unsafe_interrupts
  Reading<bool> noiommu_enabled;            ///< vfio.enable_unsafe_noiommu_mode
  /// Intel only: every DMAR unit can remap interrupts (ecap bit 3, VT-d spec 10.4.3).
  Reading<bool> interrupt_remapping;

  /// The options of the kernel's build that matter here: "CONFIG_IOMMUFD" gives "y", "m" or "n".
  /// Empty where /proc/config.gz and /boot/config-RELEASE are missing.
  KernelConfig config;
  std::string config_path;                    ///< the file that `config` was read from
  Reading<std::vector<std::string>> modules;  ///< loaded ones, sorted
  /// Parameters of loaded modules that matter here: "i915.enable_gvt" gives "Y".
  std::map<std::string, std::string> parameters;
  /// Of the modules that the settings files name, those that this kernel has neither as a file nor
  /// built in; absent where modules.dep is missing.
  Reading<std::vector<std::string>> unknown_modules;
  Reading<std::string> lockdown;  ///< "none", "integrity", "confidentiality"
  Reading<bool> secure_boot;      ///< of the firmware; absent on a machine without UEFI
  /// The most that a process of the user who asks may lock in memory; "unlimited" or bytes.
  Reading<std::string> memlock_limit;
  /// That process has CAP_IPC_LOCK (as root has), so that the limit does not bind it.
  Reading<bool> may_lock_any_memory;

  [[nodiscard]] bool has_module(std::string_view name) const;
  /// The value of a build option ("CONFIG_IOMMUFD"); empty where it is not known.
  [[nodiscard]] std::string_view option(std::string_view name) const;
};

/// How the machine boots, as far as its files tell.
struct BootFacts {
  std::string distribution;  ///< ID of os-release, "debian"; empty when not known
  std::string like;          ///< ID_LIKE: its parents, blank between
  std::string version;       ///< VERSION_ID
  std::string pretty_name;   ///< PRETTY_NAME
  /// How a kernel argument is added: "debian", "proxmox", "fedora", "arch", "suse", "rpm-ostree",
  /// "nixos"; empty when no known way fits.
  std::string flow;
  std::string initramfs;  ///< "initramfs-tools", "dracut", "mkinitcpio"; empty when not known
};

/// A settings file as it stands: modprobe.d, modules-load.d, GRUB's default, ...
struct SettingsFile {
  std::string path;
  std::string text;
};

}  // namespace tessera::model
