// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "model/pci.h"
#include "model/reading.h"

namespace tessera::model {

/// How two devices of a host reach each other. The words, and what they mean, are those of
/// `nvidia-smi topo -m`, so that one matrix can be laid over the other.
struct Link {
  enum class Kind {
    self,     ///< "X"
    nvlink,   ///< "NVn": n NVLinks taken together; only the vendor's driver can tell
    pix,      ///< at most one PCI bridge or PCIe switch between them
    pxb,      ///< several switches, one behind the other, and no host bridge
    phb,      ///< through one PCIe host bridge: two ports of the same root complex
    node,     ///< through two host bridges of the same NUMA node
    sys,      ///< through the interconnect between NUMA nodes
    unknown,  ///< "?": a place in the PCI tree, or a NUMA node, is not known
  };
  Kind kind = Kind::unknown;
  int nvlinks = 0;  ///< with Kind::nvlink, how many; else 0

  bool operator==(const Link&) const = default;
};

/// "X", "NV4", "PIX", ..., "?".
std::string to_string(const Link& link);

/// The other way round. "SOC" is what drivers before 384 printed for SYS. Nothing on another word.
std::optional<Link> parse_link(std::string_view word);

/// The kind in words, for a legend: "through one PCIe host bridge".
std::string_view in_words(Link::Kind kind);

/// A card, or a network controller (is_network_class) that is no virtual function.
struct TopologyDevice {
  enum class Kind { card, nic };
  Kind kind = Kind::card;
  std::string label;                ///< "C0", "N0": its row and column
  PciAddress address;               ///< a card's display or accelerator function
  std::string identity;             ///< a card's; empty for a network controller
  std::string name;                 ///< for people
  std::vector<std::string> path;    ///< "pci0000:00", "0000:00:01.0", ..., itself; empty: not known
  Reading<int> numa_node;           ///< -1: the firmware does not say
  Reading<std::string> local_cpus;  ///< processors near it, "0-7"
  std::string vendor_label;  ///< what nvidia-smi calls it, "GPU0"; empty when it was not asked
};
std::string_view to_string(TopologyDevice::Kind kind);

/// How the cards and network controllers of a host reach each other.
struct Topology {
  using Matrix = std::vector<std::vector<Link>>;  ///< square and symmetric, self on the diagonal

  std::string source;  ///< the host's
  bool live = false;
  std::vector<TopologyDevice> devices;  ///< cards by address, then network controllers by address
  Matrix pci_links;                     ///< computed from the PCI tree and the NUMA nodes
  Matrix links;                         ///< the same with what the vendor's text knows better
  std::string vendor_source;            ///< where that text came from; empty: there was none
  std::vector<std::string> notes;       ///< where the text and the PCI tree do not agree
};

inline constexpr std::string_view topology_schema = "tessera/topology/1";

/// tessera/topology/1. Absent values have no key.
nlohmann::ordered_json to_json(const Topology& topology);

/// A matrix as a vendor's tool printed it.
struct VendorTopology {
  struct Device {
    std::string name;        ///< "GPU0", "NIC0", "mlx5_0"
    std::string cpus;        ///< "0-23,48-71"; empty: not told
    std::string numa_nodes;  ///< "0", "0-7"; empty: not told
    bool operator==(const Device&) const = default;
  };
  std::vector<Device> devices;
  Topology::Matrix links;
  std::map<std::string, std::string> nic_names;  ///< "NIC0" gives "mlx5_0", by the text's legend

  bool operator==(const VendorTopology&) const = default;
};

/// Whether the name of a vendor's device is a GPU's ("GPU0"); the others are network controllers.
bool is_gpu_name(std::string_view name);

}  // namespace tessera::model
