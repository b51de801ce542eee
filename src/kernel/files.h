// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// Every kernel file Tessera reads or writes, named once. Sources: Documentation/ABI/testing/
/// sysfs-bus-pci, sysfs-kernel-iommu_groups, sysfs-class-*, Documentation/filesystems/proc.rst.
/// `bdf` is a full PCI address as sysfs spells it ("0000:01:00.0").
namespace tessera::kernel::files {

/// All devices, each below the one that it is attached to.
inline constexpr std::string_view devices = "/sys/devices";

// --- PCI (ABI/testing/sysfs-bus-pci) ---
inline constexpr std::string_view pci_devices = "/sys/bus/pci/devices";
inline constexpr std::string_view pci_drivers = "/sys/bus/pci/drivers";
inline constexpr std::string_view pci_drivers_probe = "/sys/bus/pci/drivers_probe";
inline constexpr std::string_view pci_rescan = "/sys/bus/pci/rescan";

/// A function's directory, or a file in it ("class", "driver", "iommu_group", ...).
std::string pci_device(std::string_view bdf, std::string_view file = {});
/// A driver's directory, or a file in it ("bind", "unbind", "new_id").
std::string pci_driver(std::string_view driver, std::string_view file = {});

// --- mediated devices (ABI/testing/sysfs-bus-vfio-mdev) ---
inline constexpr std::string_view mdev_parents = "/sys/class/mdev_bus";
inline constexpr std::string_view mdev_devices = "/sys/bus/mdev/devices";
/// A parent's directory by its name, or a file in it.
std::string mdev_parent(std::string_view name, std::string_view file = {});
/// A mediated device's directory, or a file in it ("remove", "mdev_type").
std::string mdev_device(std::string_view uuid, std::string_view file = {});

// --- IOMMU (ABI/testing/sysfs-kernel-iommu_groups, sysfs-class-iommu) ---
inline constexpr std::string_view iommu_groups = "/sys/kernel/iommu_groups";
inline constexpr std::string_view iommu_units = "/sys/class/iommu";
std::string iommu_group(int group, std::string_view file);

// --- platform devices that hold the boot framebuffer ---
inline constexpr std::string_view platform_devices = "/sys/bus/platform/devices";
inline constexpr std::string_view platform_drivers = "/sys/bus/platform/drivers";
std::string platform_device(std::string_view name, std::string_view file = {});
std::string platform_driver(std::string_view driver, std::string_view file = {});

// --- processors and memory (ABI/stable/sysfs-devices-node, sysfs-kernel-mm-hugepages) ---
inline constexpr std::string_view processors = "/sys/devices/system/cpu";
inline constexpr std::string_view memory_nodes = "/sys/devices/system/node";
inline constexpr std::string_view huge_pages = "/sys/kernel/mm/hugepages";
std::string memory_node(int node, std::string_view file);

// --- modules ---
inline constexpr std::string_view modules = "/sys/module";
std::string module(std::string_view name, std::string_view file = {});
std::string module_parameter(std::string_view module, std::string_view parameter);
/// /lib/modules/RELEASE/FILE ("modules.alias", "modules.builtin").
std::string module_table(std::string_view release, std::string_view file);

// --- proc ---
inline constexpr std::string_view proc = "/proc";
inline constexpr std::string_view proc_cmdline = "/proc/cmdline";
inline constexpr std::string_view proc_cpuinfo = "/proc/cpuinfo";
inline constexpr std::string_view proc_config = "/proc/config.gz";
inline constexpr std::string_view proc_meminfo = "/proc/meminfo";
inline constexpr std::string_view proc_self_limits = "/proc/self/limits";
inline constexpr std::string_view proc_self_status = "/proc/self/status";
inline constexpr std::string_view proc_iomem = "/proc/iomem";
inline constexpr std::string_view proc_modules = "/proc/modules";
inline constexpr std::string_view proc_self_exe = "/proc/self/exe";
inline constexpr std::string_view proc_osrelease = "/proc/sys/kernel/osrelease";
inline constexpr std::string_view proc_hostname = "/proc/sys/kernel/hostname";
inline constexpr std::string_view proc_nvidia_gpus = "/proc/driver/nvidia/gpus";
/// /proc/PID/FILE ("fd", "comm", "cgroup").
std::string process(int pid, std::string_view file);

// --- device nodes ---
inline constexpr std::string_view dev_dri = "/dev/dri";
inline constexpr std::string_view dev_snd = "/dev/snd";
inline constexpr std::string_view dev_vfio = "/dev/vfio";
inline constexpr std::string_view dev_kvm = "/dev/kvm";
/// What a descriptor of a machine that KVM runs leads to.
inline constexpr std::string_view kvm_machine = "anon_inode:kvm-vm";
inline constexpr std::string_view dev_kmsg = "/dev/kmsg";
inline constexpr std::string_view dev_null = "/dev/null";
inline constexpr std::string_view dev_mem_root = "/dev";

// --- security and firmware (security/lockdown, efivarfs) ---
inline constexpr std::string_view lockdown = "/sys/kernel/security/lockdown";
inline constexpr std::string_view efi = "/sys/firmware/efi";
/// Four bytes of attributes, then 1 or 0 (UEFI specification 3.3).
inline constexpr std::string_view efi_secure_boot =
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

// --- how the machine boots, and settings of modules ---
inline constexpr std::string_view os_release = "/etc/os-release";
inline constexpr std::string_view os_release_default = "/usr/lib/os-release";
/// /boot/config-RELEASE
std::string boot_config(std::string_view release);
inline constexpr std::string_view proxmox_boot_uuids = "/etc/kernel/proxmox-boot-uuids";
inline constexpr std::string_view ostree_booted = "/run/ostree-booted";
/// A tool that makes initramfs images, by a file that it brings.
struct InitramfsTool {
  std::string_view name;
  std::string_view path;
};
inline constexpr InitramfsTool initramfs_tools[] = {
    {"initramfs-tools", "/usr/sbin/mkinitramfs"},
    {"initramfs-tools", "/etc/initramfs-tools"},
    {"mkinitcpio", "/usr/bin/mkinitcpio"},
    {"mkinitcpio", "/etc/mkinitcpio.conf"},
    {"dracut", "/usr/bin/dracut"},
    {"dracut", "/usr/sbin/dracut"},
    {"dracut", "/etc/dracut.conf"},
};
inline constexpr std::string_view grub_default = "/etc/default/grub";
inline constexpr std::string_view kernel_cmdline = "/etc/kernel/cmdline";
inline constexpr std::string_view modprobe_folder = "/etc/modprobe.d";
inline constexpr std::string_view modules_load_folder = "/etc/modules-load.d";
/// Files, and folders whose files count, that say what is loaded and how.
struct Settings {
  std::string_view path;
  std::string_view extension;  ///< of the files of a folder; empty: `path` is a file
};
inline constexpr Settings settings[] = {
    {grub_default, {}},
    {"/etc/default/grub.d", ".cfg"},
    {"/etc/dracut.conf", {}},
    {"/etc/dracut.conf.d", ".conf"},
    {"/etc/initramfs-tools/modules", {}},
    {kernel_cmdline, {}},
    {"/etc/mkinitcpio.conf", {}},
    {modprobe_folder, ".conf"},
    {"/etc/modules", {}},
    {modules_load_folder, ".conf"},
};

// --- programs of a driver's vendor (kernel/tools.h) ---
/// NVIDIA's own way to switch virtual functions on and off.
inline constexpr std::string_view sriov_manage = "/usr/lib/nvidia/sriov-manage";
inline constexpr std::string_view nvidia_smi = "/usr/bin/nvidia-smi";

// --- what shall be there after a boot: mdevctl's definitions, a folder for each parent device with
// a file for each UUID, and what has no place there ---
inline constexpr std::string_view mdev_definitions = "/etc/mdevctl.d";
/// Folders of mdevctl's that are no parents: scripts that it runs.
inline constexpr std::string_view mdevctl_scripts[] = {"scripts.d", "callouts.d", "notifiers.d"};
std::string mdev_definition(std::string_view parent, std::string_view uuid);
inline constexpr std::string_view host_file = "/etc/tessera/host.yaml";

// --- notes of a recording that stand for what a program prints (kernel/recording.h) ---
inline constexpr std::string_view notes_of_nvidia_smi = "nvidia-smi/";
inline constexpr std::string_view note_nvidia_topology = "nvidia-smi/topo-m";
inline constexpr std::string_view note_nvidia_query = "nvidia-smi/q-x";
inline constexpr std::string_view note_nvidia_vgpus = "nvidia-smi/vgpu-q";
inline constexpr std::string_view note_nvidia_types = "nvidia-smi/vgpu-s-v";
// Of the one card that has MIG.
inline constexpr std::string_view note_mig_profiles = "nvidia-smi/mig-lgip";
inline constexpr std::string_view note_mig_placements = "nvidia-smi/mig-lgipp";
inline constexpr std::string_view note_mig_instances = "nvidia-smi/mig-lgi";

// --- what QEMU says of machines: a log for each, NAME.log or NAME/qemu.log ---
inline constexpr std::string_view libvirt_machine_logs = "/var/log/libvirt/qemu";
/// Our own machines, as root starts them: a folder for each with its log, sockets and pid.
inline constexpr std::string_view machines_dir = "/run/tessera/machines";

// --- our own: the journal and its lock, below the root that they are about ---
inline constexpr std::string_view state_dir = "/var/lib/tessera";

// --- a rehearsal host's own controls (docs/designs/rehearsal-root.md); never on a real system ---
inline constexpr std::string_view rehearsal = "/.rehearsal";
inline constexpr std::string_view rehearsal_uevents = "/.rehearsal/uevents";
inline constexpr std::string_view rehearsal_kmsg = "/.rehearsal/kmsg";
inline constexpr std::string_view rehearsal_modprobe = "/.rehearsal/modprobe";
inline constexpr std::string_view rehearsal_signal = "/.rehearsal/signal";
inline constexpr std::string_view rehearsal_faults = "/.rehearsal/faults";
/// What the vendor's programs of a rehearsal host talk to.
inline constexpr std::string_view rehearsal_nvidia = "/.rehearsal/nvidia";

}  // namespace tessera::kernel::files
