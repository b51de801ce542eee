// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tessera::lab {

/// Who translates the addresses that devices use: Intel's VT-d, AMD-Vi, or nobody.
enum class Iommu { none, vt_d, amd_vi };

/// What stands for a card's GPU. All but `identity` are QEMU's own displays with real Linux
/// drivers; `identity` is our vfio-user server, which shows any ids but draws nothing.
enum class CardModel { bochs, virtio_gpu, ati, qxl, identity };

/// Where a function hangs in the PCI tree; this decides its IOMMU group.
enum class Slot {
  root_port,            ///< a root port of its own: a group of its own
  root_port_no_acs,     ///< one function of a shared slot without ACS: one group for all of them
  conventional_bridge,  ///< behind one PCIe-to-PCI bridge: one group for all of them
  switch_port,          ///< a downstream port of one switch with ACS: a group of its own
  root_complex,         ///< directly on the root bus, as an integrated GPU is
};

/// A place in the tree. Same slot kind and same node share a bridge or switch.
struct Placement {
  Slot slot = Slot::root_port;
  std::optional<int> numa_node;  ///< below a root bus of this memory node; none: node unknown (-1)
};

/// A kernel module that is loaded at boot, before the drivers of the host's devices.
struct LabModule {
  std::string
      name;  ///< as modprobe takes it: one of lab/module, of the kernel's samples, or its own
  std::vector<std::string> parameters;  ///< NAME=VALUE
};

/// A GPU, with its audio function where it has one.
struct LabCard {
  std::string id;  ///< QEMU's device id; `tessera lab picture` asks for it
  CardModel model = CardModel::bochs;
  Placement at;
  bool audio = false;       ///< an HD audio controller as function 1
  bool boot_vga = false;    ///< the VGA-compatible variant, which the firmware lights up
  std::string shows;        ///< identity only: which card of lab/identity/cards it shows
  std::string driver = {};  ///< the module whose driver has it from boot on; empty: its own driver
  int sriov_vfs = 0;        ///< virtio-gpu only: virtual functions it can make, 0..7
};

/// Anything in the host that is no card.
enum class DeviceKind { nic, nvme, igb, edu };
struct LabDevice {
  std::string id;
  DeviceKind kind = DeviceKind::nic;
  Placement at;
  int sriov_vfs =
      0;  ///< virtual functions it can make; nvme 0..64, igb always 7 (the Linux driver keeps one)
  std::string driver = {};  ///< as a card's
};

/// A virtual GPU host as its file in lab/hosts says it (docs/lab.md lists every key).
struct LabSpec {
  std::string name;
  std::string description;
  Iommu iommu = Iommu::vt_d;
  int memory_mib = 1536;
  int cpus = 2;
  int deadline_s = 900;
  int numa_nodes = 0;  ///< 0: one memory node, not described to the guest
  std::vector<std::string> kernel_arguments;
  std::vector<LabModule> modules;  ///< in the order in which they are loaded
  std::vector<LabCard> cards;
  std::vector<LabDevice> devices;
};

/// The names that the YAML, the messages and the printed lists use.
std::string_view to_string(Iommu iommu);
std::string_view to_string(CardModel model);
std::string_view to_string(Slot slot);
std::string_view to_string(DeviceKind kind);

/// Reads a host spec. The schema is strict. Errors: invalid with subject "file:line:column": no
/// YAML, an unknown key (with the nearest known one), a wrong type, a number out of its range, an
/// id given twice, or a combination no host can have.
Result<LabSpec> parse_spec(std::string_view yaml, const std::string& file);

/// The QEMU version this host needs, as major * 100 + minor: identity cards and cards with virtual
/// functions 1101, igb 800, else 702.
int needed_qemu(const LabSpec& spec);

}  // namespace tessera::lab
