// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/host.h"
#include "model/topology.h"

namespace tessera::plan {

/// The cards and network controllers of a host, and the link between each two of them, as far as
/// the PCI tree and the NUMA nodes tell:
///
///   the same host bridge, a bridge in common   PIX, or PXB where one of the two is more than one
///                                              bridge below the nearest one they share
///   the same host bridge, none in common       PHB
///   two host bridges, nodes known              NODE if they are the same, else SYS
///   a path or a node not known                 "?"
///
/// A PCIe switch is an upstream port with downstream ports, so two devices one bridge below a
/// shared one have a single switch between them. A host bridge is what the kernel calls
/// "pci0000:80" in a path; how many of them a processor has is its maker's choice.
model::Topology topology_of(const model::HostSnapshot& host);

/// Lays what nvidia-smi printed over the computed links. nvidia-smi numbers GPUs in the order of
/// their PCI addresses, and sees those that its driver has: the host's NVIDIA cards on the driver
/// "nvidia" (in a recording that leaves drivers out: all NVIDIA cards) in that order are GPU0,
/// GPU1,
/// ... NVLinks come from the text. Of PCI links it fills in those that are not known; where the two
/// differ, the computed one stays and a note says so. Network controllers are not matched: the text
/// names them by their RDMA devices.
/// `source` is the text's name. Errors: invalid when the numbers of GPUs differ.
Status add_vendor_links(const model::HostSnapshot& host, const model::VendorTopology& vendor,
                        const std::string& source, model::Topology& topology);

/// A device of the PCI tree, with those below it that lead to something that was asked for.
struct PciTreeNode {
  model::PciAddress address;
  std::vector<PciTreeNode> below;  ///< by address
};

struct RootComplex {
  std::string name;              ///< the kernel's, "pci0000:80"
  std::optional<int> numa_node;  ///< what all that say one agree on
  std::vector<PciTreeNode> below;
};

struct PciTree {
  std::vector<RootComplex> roots;           ///< by NUMA node, those without one last; then by name
  std::vector<model::PciAddress> unplaced;  ///< asked for, but their paths are not known; sorted
};

enum class TreeOf { cards, cards_and_networks };

/// The way from the root complexes to each function of each card, and with
/// TreeOf::cards_and_networks to each network controller.
PciTree pci_tree(const model::HostSnapshot& host, TreeOf what);

/// The NUMA node of a function: what the kernel says, and where the firmware did not tell it (-1)
/// the only node of a host that has one.
std::optional<int> numa_node_of(const model::HostSnapshot& host,
                                const model::PciFunction& function);

}  // namespace tessera::plan
