// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// Every kernel file Tessera reads or writes, named once. Sources: Documentation/ABI/testing/
/// sysfs-bus-pci, sysfs-kernel-iommu_groups, sysfs-class-*, Documentation/filesystems/proc.rst.
/// `bdf` is a full PCI address as sysfs spells it ("0000:01:00.0").
namespace tessera::kernel::files {

// --- PCI (ABI/testing/sysfs-bus-pci) ---
inline constexpr std::string_view pci_devices = "/sys/bus/pci/devices";
inline constexpr std::string_view pci_drivers = "/sys/bus/pci/drivers";
inline constexpr std::string_view pci_drivers_probe = "/sys/bus/pci/drivers_probe";
inline constexpr std::string_view pci_rescan = "/sys/bus/pci/rescan";

/// A function's directory, or a file in it ("class", "driver", "iommu_group", ...).
std::string pci_device(std::string_view bdf, std::string_view file = {});
/// A driver's directory, or a file in it ("bind", "unbind", "new_id").
std::string pci_driver(std::string_view driver, std::string_view file = {});

// --- IOMMU (ABI/testing/sysfs-kernel-iommu_groups, sysfs-class-iommu) ---
inline constexpr std::string_view iommu_groups = "/sys/kernel/iommu_groups";
inline constexpr std::string_view iommu_units = "/sys/class/iommu";
std::string iommu_group(int group, std::string_view file);

// --- platform devices that hold the boot framebuffer ---
inline constexpr std::string_view platform_devices = "/sys/bus/platform/devices";
inline constexpr std::string_view platform_drivers = "/sys/bus/platform/drivers";
std::string platform_device(std::string_view name, std::string_view file = {});
std::string platform_driver(std::string_view driver, std::string_view file = {});

// --- memory nodes (ABI/stable/sysfs-devices-node) ---
inline constexpr std::string_view memory_nodes = "/sys/devices/system/node";

// --- modules ---
inline constexpr std::string_view modules = "/sys/module";
std::string module(std::string_view name, std::string_view file = {});
/// /lib/modules/RELEASE/FILE ("modules.alias", "modules.builtin").
std::string module_table(std::string_view release, std::string_view file);

// --- proc ---
inline constexpr std::string_view proc = "/proc";
inline constexpr std::string_view proc_cmdline = "/proc/cmdline";
inline constexpr std::string_view proc_cpuinfo = "/proc/cpuinfo";
inline constexpr std::string_view proc_iomem = "/proc/iomem";
inline constexpr std::string_view proc_modules = "/proc/modules";
inline constexpr std::string_view proc_self_exe = "/proc/self/exe";
inline constexpr std::string_view proc_osrelease = "/proc/sys/kernel/osrelease";
inline constexpr std::string_view proc_nvidia_gpus = "/proc/driver/nvidia/gpus";
/// /proc/PID/FILE ("fd", "comm", "cgroup").
std::string process(int pid, std::string_view file);

// --- device nodes ---
inline constexpr std::string_view dev_dri = "/dev/dri";
inline constexpr std::string_view dev_snd = "/dev/snd";
inline constexpr std::string_view dev_vfio = "/dev/vfio";
inline constexpr std::string_view dev_kvm = "/dev/kvm";
inline constexpr std::string_view dev_kmsg = "/dev/kmsg";
inline constexpr std::string_view dev_null = "/dev/null";
inline constexpr std::string_view dev_mem_root = "/dev";

// --- our own: the journal and its lock, below the root that they are about ---
inline constexpr std::string_view state_dir = "/var/lib/tessera";

// --- a rehearsal host's own controls (docs/designs/rehearsal-root.md); never on a real system ---
inline constexpr std::string_view rehearsal = "/.rehearsal";
inline constexpr std::string_view rehearsal_uevents = "/.rehearsal/uevents";
inline constexpr std::string_view rehearsal_kmsg = "/.rehearsal/kmsg";
inline constexpr std::string_view rehearsal_modprobe = "/.rehearsal/modprobe";
inline constexpr std::string_view rehearsal_signal = "/.rehearsal/signal";
inline constexpr std::string_view rehearsal_faults = "/.rehearsal/faults";

}  // namespace tessera::kernel::files
