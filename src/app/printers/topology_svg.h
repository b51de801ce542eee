// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/host.h"
#include "model/topology.h"

namespace tessera::app {

/// An SVG picture of the tree of cards and network controllers, NUMA node by NUMA node, with the
/// matrix of links and its legend below.
std::string topology_svg(const model::HostSnapshot& host, const model::Topology& topology);

/// An SVG picture of the tree of the cards alone.
std::string card_tree_svg(const model::HostSnapshot& host);

}  // namespace tessera::app
