// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/printers/style.h"
#include "model/host.h"
#include "model/topology.h"
#include "plan/topology.h"

namespace tessera::app {

/// What a device of the PCI tree is to somebody who looks for cards.
enum class TreeRole { card, card_part, network, bridge };

/// A device of the PCI tree in words; the text and the picture say the same.
struct TreeWords {
  TreeRole role = TreeRole::bridge;
  std::string label;                 ///< "C0"; empty for a card's other functions and bridges
  std::string title;                 ///< "NVIDIA GV100GL [Tesla V100]", "audio device", "root port"
  std::vector<std::string> details;  ///< "group 12", "vfio-pci", "4 virtual functions"
};

/// The labels of a matrix by address; none for a tree that stands alone.
using TreeLabels = std::map<model::PciAddress, std::string>;
TreeLabels labels_of(const model::Topology& topology);

TreeWords tree_words(const model::HostSnapshot& host, const model::PciAddress& address,
                     const TreeLabels& labels);

/// "NUMA node 0", or that it is not known.
std::string node_words(const std::optional<int>& node);

/// Kinds of links that the matrix has, nearest first, NVLinks before them; without "X".
std::vector<model::Link::Kind> kinds_in(const model::Topology::Matrix& matrix);

/// The tree, a line a device: root complexes, bridges, functions of cards, network controllers.
std::string tree_text(const model::HostSnapshot& host, const plan::PciTree& tree,
                      const TreeLabels& labels, const ReportStyle& style);

/// The matrix with its legend, then the tree; or a sentence that says why there is neither.
std::string topology_text(const model::HostSnapshot& host, const model::Topology& topology,
                          const ReportStyle& style);

/// The tree of the cards alone; or a sentence that says why there is none.
std::string card_tree_text(const model::HostSnapshot& host, const ReportStyle& style);

}  // namespace tessera::app
