// SPDX-License-Identifier: Apache-2.0
#include "plan/topology.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::plan {

using model::HostSnapshot;
using model::Link;
using model::PciAddress;
using model::PciFunction;
using model::Topology;
using model::TopologyDevice;
using model::VendorTopology;

namespace {

constexpr std::uint16_t nvidia = 0x10de;

bool is_network_controller(const PciFunction& function) {
  return function.class_code.has_value() && !function.physical_function &&
         model::is_network_class(function.class_code.value());
}

std::vector<std::string> path_of(const PciFunction& function) {
  std::vector<std::string> path;
  std::string root = model::root_complex_in_path(function.sysfs_path);
  if (root.empty()) return path;
  path.push_back(std::move(root));
  for (const auto& address : model::addresses_in_path(function.sysfs_path)) {
    path.push_back(to_string(address));
  }
  return path;
}

TopologyDevice device_of(const PciFunction& function, TopologyDevice::Kind kind,
                         std::size_t number) {
  TopologyDevice device;
  device.kind = kind;
  device.label = fmt::format("{}{}", kind == TopologyDevice::Kind::card ? 'C' : 'N', number);
  device.address = function.address;
  device.name = function_name(function);
  device.path = path_of(function);
  device.numa_node = function.numa_node;
  device.local_cpus = function.local_cpus;
  return device;
}

std::vector<TopologyDevice> devices_of(const HostSnapshot& host) {
  std::vector<TopologyDevice> devices;
  for (const auto& card : host.cards) {
    const PciFunction* function = host.function(card.address);
    if (function == nullptr) continue;
    devices.push_back(device_of(*function, TopologyDevice::Kind::card, devices.size()));
    devices.back().identity = card.identity;
  }
  std::size_t networks = 0;
  for (const auto& function : host.functions) {
    if (!is_network_controller(function) || host.card_of(function.address) != nullptr) continue;
    devices.push_back(device_of(function, TopologyDevice::Kind::nic, networks++));
  }
  return devices;
}

/// Below one host bridge. `a` and `b` are paths, of which the first piece is the same.
Link link_below(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto parting = std::ranges::mismatch(a, b);
  const auto shared = static_cast<std::size_t>(parting.in1 - a.begin());
  if (shared == 1) return {Link::Kind::phb};
  // The device itself, and the one bridge that a single switch has between it and the shared one.
  constexpr std::size_t through_one_switch = 2;
  const std::size_t farther = std::max(a.size(), b.size()) - shared;
  return {farther <= through_one_switch ? Link::Kind::pix : Link::Kind::pxb};
}

Link link_between(const HostSnapshot& host, const TopologyDevice& a, const TopologyDevice& b) {
  if (a.path.empty() || b.path.empty()) return {};
  if (a.path.front() == b.path.front()) return link_below(a.path, b.path);
  const PciFunction* here = host.function(a.address);
  const PciFunction* there = host.function(b.address);
  auto node_here = here != nullptr ? numa_node_of(host, *here) : std::nullopt;
  auto node_there = there != nullptr ? numa_node_of(host, *there) : std::nullopt;
  if (!node_here || !node_there) return {};
  return {node_here == node_there ? Link::Kind::node : Link::Kind::sys};
}

/// Whether nvidia-smi shows this card: its driver has it, or a recording does not say who has it.
bool is_seen_by_nvidia_smi(const HostSnapshot& host, const PciFunction& function) {
  if (!function.vendor.has_value() || function.vendor.value() != nvidia) return false;
  if (!function.driver.empty()) return function.driver == "nvidia";
  return !host.live && function.driver_override.is_absent();
}

/// Places in `topology.devices` of the cards that nvidia-smi numbers, in its order.
std::vector<std::size_t> nvidia_cards(const HostSnapshot& host, const Topology& topology) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < topology.devices.size(); ++i) {
    const PciFunction* function = host.function(topology.devices[i].address);
    const bool card = topology.devices[i].kind == TopologyDevice::Kind::card;
    if (card && function != nullptr && is_seen_by_nvidia_smi(host, *function)) places.push_back(i);
  }
  return places;
}

/// Places in the vendor's matrix that are GPUs.
std::vector<std::size_t> vendor_gpus(const VendorTopology& vendor) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < vendor.devices.size(); ++i) {
    if (model::is_gpu_name(vendor.devices[i].name)) places.push_back(i);
  }
  return places;
}

Status check_counts(const Topology& topology, const std::vector<std::size_t>& cards,
                    std::size_t gpus, const std::string& source) {
  if (cards.size() == gpus) return {};
  std::vector<std::string> addresses;
  for (std::size_t place : cards) {
    addresses.push_back(to_string(topology.devices[place].address));
  }
  std::string seen = addresses.empty() ? "none" : text::join(addresses, ", ");
  return fail(ErrorKind::invalid, source,
              fmt::format("the text shows {} GPU{}; {} has {} NVIDIA card{} that nvidia-smi can "
                          "see ({})",
                          gpus, gpus == 1 ? "" : "s", topology.source, cards.size(),
                          cards.size() == 1 ? "" : "s", seen),
              "take the text on this host, with all its cards on the driver nvidia: "
              "nvidia-smi topo -m");
}

/// What the vendor's text changes at one place; a difference goes into the notes.
void lay_over(Topology& topology, std::size_t row, std::size_t column, const Link& told) {
  Link& link = topology.links[row][column];
  const bool better =
      told.kind == Link::Kind::nvlink || link.kind == Link::Kind::unknown || link == told;
  if (better) {
    link = told;
    topology.links[column][row] = told;
    return;
  }
  topology.notes.push_back(fmt::format("nvidia-smi says {} between {} and {}, the PCI tree says {}",
                                       to_string(told), topology.devices[row].label,
                                       topology.devices[column].label, to_string(link)));
}

void compare_nodes(const HostSnapshot& host, const VendorTopology::Device& told,
                   const TopologyDevice& device, std::vector<std::string>& notes) {
  const PciFunction* function = host.function(device.address);
  auto ours = function != nullptr ? numa_node_of(host, *function) : std::nullopt;
  auto theirs = text::to_number(told.numa_nodes);  // nothing on a range, which says less
  if (!ours || !theirs || *theirs == static_cast<std::uint64_t>(*ours)) return;
  notes.push_back(fmt::format("nvidia-smi says NUMA node {} for {} ({}), the kernel says {}",
                              *theirs, told.name, device.label, *ours));
}

PciTreeNode& child_of(std::vector<PciTreeNode>& nodes, const PciAddress& address) {
  auto at = std::ranges::lower_bound(nodes, address, {}, &PciTreeNode::address);
  if (at == nodes.end() || at->address != address) at = nodes.insert(at, {address, {}});
  return *at;
}

std::set<PciAddress> wanted_of(const HostSnapshot& host, TreeOf what) {
  std::set<PciAddress> wanted;
  for (const auto& card : host.cards) wanted.insert(card.functions.begin(), card.functions.end());
  for (const auto& function : host.functions) {
    if (what == TreeOf::cards_and_networks && is_network_controller(function)) {
      wanted.insert(function.address);
    }
  }
  return wanted;
}

/// Each root complex's node, where all its functions that have one agree.
std::map<std::string, std::optional<int>> nodes_of_roots(const HostSnapshot& host) {
  std::map<std::string, std::set<int>> told;
  for (const auto& function : host.functions) {
    auto node = numa_node_of(host, function);
    if (node) told[model::root_complex_in_path(function.sysfs_path)].insert(*node);
  }
  std::map<std::string, std::optional<int>> nodes;
  for (const auto& [root, numbers] : told) {
    if (numbers.size() == 1) nodes[root] = *numbers.begin();
  }
  return nodes;
}

}  // namespace

std::optional<int> numa_node_of(const HostSnapshot& host, const PciFunction& function) {
  if (!function.numa_node.has_value()) return std::nullopt;
  if (function.numa_node.value() >= 0) return function.numa_node.value();
  if (host.nodes.size() == 1) return host.nodes.front().number;
  return std::nullopt;
}

Topology topology_of(const HostSnapshot& host) {
  Topology topology;
  topology.source = host.source;
  topology.live = host.live;
  topology.devices = devices_of(host);
  const auto& devices = topology.devices;
  topology.pci_links.assign(devices.size(), std::vector<Link>(devices.size()));
  for (std::size_t row = 0; row < devices.size(); ++row) {
    topology.pci_links[row][row] = {Link::Kind::self};
    for (std::size_t column = 0; column < row; ++column) {
      Link link = link_between(host, devices[row], devices[column]);
      topology.pci_links[row][column] = link;
      topology.pci_links[column][row] = link;
    }
  }
  topology.links = topology.pci_links;
  return topology;
}

Status add_vendor_links(const HostSnapshot& host, const VendorTopology& vendor,
                        const std::string& source, Topology& topology) {
  const auto cards = nvidia_cards(host, topology);
  const auto gpus = vendor_gpus(vendor);
  TRY(check_counts(topology, cards, gpus.size(), source));
  topology.vendor_source = source;
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    const auto& told = vendor.devices[gpus[i]];
    topology.devices[cards[i]].vendor_label = told.name;
    compare_nodes(host, told, topology.devices[cards[i]], topology.notes);
    for (std::size_t other = 0; other < i; ++other) {
      lay_over(topology, cards[other], cards[i], vendor.links[gpus[other]][gpus[i]]);
    }
  }
  return {};
}

PciTree pci_tree(const HostSnapshot& host, TreeOf what) {
  PciTree tree;
  std::map<std::string, std::vector<PciTreeNode>> below;
  for (const auto& address : wanted_of(host, what)) {
    const PciFunction* function = host.function(address);
    std::string root =
        function != nullptr ? model::root_complex_in_path(function->sysfs_path) : std::string{};
    if (root.empty()) {
      tree.unplaced.push_back(address);
      continue;
    }
    auto* level = &below[root];
    for (const auto& step : model::addresses_in_path(function->sysfs_path)) {
      level = &child_of(*level, step).below;
    }
  }
  auto nodes = nodes_of_roots(host);
  for (auto& [name, children] : below) tree.roots.push_back({name, nodes[name], children});
  std::ranges::stable_sort(tree.roots, {}, [](const RootComplex& root) {
    return root.numa_node.value_or(std::numeric_limits<int>::max());
  });
  return tree;
}

}  // namespace tessera::plan
