// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/finding.h"
#include "model/pci.h"
#include "model/pci_details.h"
#include "model/processors.h"
#include "model/reading.h"
#include "model/slice.h"
#include "model/system.h"

namespace tessera::model {

/// One PCI function as the kernel shows it. Every field can be missing: recordings are partial, and
/// so is the view of a user who is not root.
struct PciFunction {
  PciAddress address;
  std::string sysfs_path;  ///< canonical, "/sys/devices/pci0000:00/..."; empty when not known
  Reading<std::uint16_t> vendor;
  Reading<std::uint16_t> device;
  Reading<std::uint16_t> subsystem_vendor;
  Reading<std::uint16_t> subsystem_device;
  Reading<std::uint32_t> class_code;  ///< 24 bits: base class, subclass, interface
  std::string vendor_name;            ///< from udev's hwdb; empty when not known
  std::string device_name;
  std::string driver;                    ///< bound driver; empty when none
  std::string driver_module;             ///< the module it is in; empty when built in or not known
  Reading<std::string> driver_override;  ///< value "" when unset ("(null)" in sysfs)
  std::string modalias;                  ///< "pci:v000010DEd..."; empty when not readable
  std::string vfio_module;               ///< best VFIO module by modules.alias; empty when unknown
  std::string usual_driver;              ///< the module that modules.alias would bind; may be empty
  Reading<int> iommu_group;
  Reading<int> numa_node;  ///< -1: the firmware does not say
  Reading<bool> boot_vga;
  Reading<std::vector<std::string>> reset_methods;  ///< in the kernel's order; empty list: disabled
  std::optional<PciAddress> parent;                 ///< the bridge above it
  std::optional<PciAddress> physical_function;      ///< set on an SR-IOV virtual function
  /// PCI Express (it has a max_link_speed file) rather than conventional PCI; absent in a
  /// recording without that file.
  Reading<bool> express;
  Reading<int> vf_total;                  ///< sriov_totalvfs
  Reading<int> vf_enabled;                ///< sriov_numvfs
  std::vector<std::string> mdevs;         ///< UUIDs of mediated devices made on it
  std::vector<std::string> device_files;  ///< "/dev/dri/card0", "/dev/snd/controlC1", ...

  // Read with Detail::everything only.
  Reading<std::uint8_t> revision;
  Reading<std::vector<Bar>> bars;  ///< those that have addresses, by index
  PciLink link;
  Reading<std::string> power_state;  ///< "D0", "D3hot", "D3cold", "unknown"
  Reading<std::string> local_cpus;   ///< processors near it, "0-7"
  /// From configuration space: of a card's functions, and of what may stand above or beside them.
  /// Absent for others, and for a device that reading it would wake up.
  Reading<Capabilities> capabilities;
  /// Those that were counted, of cards' functions, their virtual functions and the ports above
  /// them; read with Detail::slices too. Absent where the function reports none, or the firmware
  /// keeps them to itself.
  Reading<std::vector<BusErrors>> bus_errors;
  bool vendor_vgpu = false;             ///< has the vendor's vGPU files (NVIDIA's nvidia/ folder)
  std::vector<std::string> mdev_types;  ///< folders of mdev_supported_types
};

/// A stretch of bus addresses that the IOMMU keeps for itself (reserved_regions).
struct ReservedRegion {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  ///< inclusive
  std::string type;        ///< "msi", "reserved", "direct", "direct-relaxable"
  bool operator==(const ReservedRegion&) const = default;
};

/// What the IOMMU can keep apart: belongs to one owner as a whole.
struct IommuGroup {
  int number = 0;
  std::vector<PciAddress> members;  ///< sorted
  Reading<std::string> type;        ///< of the default domain: "DMA", "DMA-FQ", "identity", ...
  std::vector<ReservedRegion> reserved_regions;
};

/// A framebuffer that the firmware left and the kernel still draws on.
struct BootFramebuffer {
  std::string device;  ///< platform device, "simple-framebuffer.0"; empty when only iomem tells
  std::string driver;  ///< "simple-framebuffer", "efi-framebuffer"; empty when unbound
  std::uint64_t first = 0;  ///< addresses from /proc/iomem; both 0 when not readable
  std::uint64_t last = 0;
  std::string label;                   ///< the iomem line's name: "BOOTFB", "efifb", "simpledrm"
  std::optional<PciAddress> function;  ///< whose BAR it lies in
};

/// A process that has a card's device file open.
struct Holder {
  int pid = 0;
  std::string name;
  std::string unit;  ///< systemd unit; empty when it has none
  PciAddress function;
  std::vector<std::string> paths;
};

/// A process that runs a virtual machine by KVM.
struct RunningMachine {
  int pid = 0;
  std::string process;  ///< its name, "qemu-system-x86"
  std::string name;     ///< the machine's, from the process's command line; may be empty
  std::string unit;     ///< systemd unit; empty when it has none
};

/// What QEMU wrote of memory that failed in a machine, which may have ended since.
struct MachineMemoryError {
  std::string machine;  ///< its name
  std::string path;     ///< the log
  std::string line;
};

/// One physical board: all its PCI functions, wherever they sit.
struct Card {
  std::string identity;  ///< stable over renumbering: "10de:1db4-10de:1212@0000/03.0/00.0"
  PciAddress address;    ///< its display or accelerator function
  std::string name;      ///< for people
  std::vector<PciAddress> functions;  ///< sorted, `address` included; bridges are not
  std::vector<int> groups;            ///< sorted, without repeats
  bool integrated = false;            ///< part of the processor package, not a board

  /// Whether the function at `wanted` is one of the card's own.
  [[nodiscard]] bool has(const PciAddress& wanted) const;
};

/// How much of a host is looked at.
enum class Detail {
  cards,  ///< what a list of cards shows (probe/pci.h says what of other functions)
  /// That, and what the cards can be cut into; of virtual functions that are slices without a
  /// driver what giving them to VFIO takes (groups, VFIO's drivers).
  slices,
  everything,  ///< all fields below
};

/// Everything read from one host at one time: a plain value, the input of every decision.
struct HostSnapshot {
  std::string source;  ///< "/" or what --root was given
  bool live = false;
  bool complete = false;  ///< what is not here is not on the host (kernel::Root::is_complete)
  Detail detail = Detail::everything;
  KernelFacts kernel;
  std::vector<PciFunction> functions;  ///< sorted by address
  std::vector<IommuGroup> groups;      ///< sorted by number
  std::vector<Card> cards;             ///< sorted by address
  std::vector<BootFramebuffer> framebuffers;
  std::vector<Holder> holders;
  std::vector<RunningMachine> machines;  ///< sorted by pid
  int unreadable_processes = 0;          ///< processes whose open files we may not see
  std::vector<std::string> kernel_log;   ///< lines that matter to a decision, oldest first

  BootFacts boot;
  std::vector<SettingsFile> settings;  ///< sorted by path
  std::vector<MemoryNode> nodes;       ///< sorted by number; empty when not known
  std::vector<HugePages> huge_pages;   ///< of the whole host, by size
  Reading<Processors> processors;
  /// Memory that the kernel took out of use after errors, since the host booted.
  Reading<std::uint64_t> failed_memory_kib;
  /// Looked for only where some failed; each machine's last.
  std::vector<MachineMemoryError> machine_memory_errors;

  /// What slices can be cut from, and the slices there are; not read with Detail::cards.
  std::vector<SliceSource> slice_sources;
  /// Whose the slices are, by their identity. Not the kernel's: filled from the journal. A row for
  /// a slice that is not there means nothing.
  std::map<std::string, std::string> slice_owners;
  /// Why cards get no new slices: errors that PCI Express counted (plan/checks/bus_errors.h), and
  /// what their vendor's driver says, where it was asked (plan::slices::cordons).
  std::vector<Finding> cordons;

  /// A slice by its identity, or null.
  [[nodiscard]] const Slice* slice(const std::string& identity) const;
  /// The machine that a process runs, or null.
  [[nodiscard]] const RunningMachine* machine(int pid) const;
  /// Whose a slice is; empty for nobody's.
  [[nodiscard]] std::string owner_of(const std::string& slice) const;
  [[nodiscard]] const PciFunction* function(const PciAddress& address) const;
  [[nodiscard]] const IommuGroup* group(int number) const;
  /// The card that owns `address`, or null.
  [[nodiscard]] const Card* card_of(const PciAddress& address) const;
};

/// The card's functions that the snapshot has, in their order.
std::vector<const PciFunction*> functions_of(const HostSnapshot& host, const Card& card);

/// The card that a person means: an address of any of its functions, with or without domain, or
/// its identity. Errors: invalid (no such form), not_found, conflict (a function that is no GPU:
/// the sentence says what it is).
Result<const Card*> select_card(const HostSnapshot& host, std::string_view selector);

/// The functions of this model, virtual functions left out.
std::vector<const PciFunction*> functions_with(const HostSnapshot& host, const DeviceId& id);

/// "NVIDIA Corporation GV100GL [Tesla V100 PCIe 16GB]", or "10de:1db4" where no name is known.
std::string function_name(const PciFunction& function);

}  // namespace tessera::model
