// SPDX-License-Identifier: Apache-2.0
#include "app/printers/topology.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "app/printers/list.h"
#include "base/text.h"

namespace tessera::app {

using model::HostSnapshot;
using model::Link;
using model::PciAddress;
using model::PciFunction;
using model::Topology;
using model::TopologyDevice;

namespace {

constexpr std::array nearest_first = {Link::Kind::nvlink, Link::Kind::pix,  Link::Kind::pxb,
                                      Link::Kind::phb,    Link::Kind::node, Link::Kind::sys,
                                      Link::Kind::unknown};

fmt::text_style look_of(Link::Kind kind) {
  switch (kind) {
    case Link::Kind::nvlink:
      return fmt::fg(fmt::terminal_color::magenta) | fmt::emphasis::bold;
    case Link::Kind::pix:
    case Link::Kind::pxb:
      return fmt::fg(fmt::terminal_color::green);
    case Link::Kind::phb:
      return fmt::fg(fmt::terminal_color::cyan);
    case Link::Kind::node:
      return fmt::fg(fmt::terminal_color::yellow);
    case Link::Kind::sys:
      return fmt::fg(fmt::terminal_color::red);
    case Link::Kind::self:
    case Link::Kind::unknown:
      break;
  }
  return fmt::emphasis::faint;
}

fmt::text_style look_of(TreeRole role) {
  switch (role) {
    case TreeRole::card:
      return fmt::fg(fmt::terminal_color::green) | fmt::emphasis::bold;
    case TreeRole::card_part:
      return fmt::fg(fmt::terminal_color::green);
    case TreeRole::network:
      return fmt::fg(fmt::terminal_color::cyan) | fmt::emphasis::bold;
    case TreeRole::bridge:
      break;
  }
  return {};
}

/// A cell of the matrix: padded first, so that colors do not count.
struct Cell {
  std::string text;
  fmt::text_style look;
};

std::string aligned_rows(const std::vector<std::vector<Cell>>& rows, const ReportStyle& style) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].text.size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      line += colored(row[i].text, row[i].look, style);
      if (!last) line += std::string(widths[i] - row[i].text.size() + 2, ' ');
    }
    text += line.erase(line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// What the tree says too: the only node of a host counts where the firmware did not name it.
std::string node_text(const HostSnapshot& host, const TopologyDevice& device) {
  if (device.numa_node.is_unreadable()) return "?";
  const PciFunction* function = host.function(device.address);
  const auto node = function != nullptr ? plan::numa_node_of(host, *function) : std::nullopt;
  return node ? std::to_string(*node) : "-";
}

std::string matrix_text(const HostSnapshot& host, const Topology& topology,
                        const ReportStyle& style) {
  std::vector<std::vector<Cell>> rows(1);
  const fmt::text_style heading = fmt::emphasis::bold;
  rows[0] = {{"", {}}, {"", {}}};
  for (const auto& device : topology.devices) rows[0].push_back({device.label, heading});
  rows[0].push_back({"NUMA", heading});
  rows[0].push_back({"CPUS", heading});
  for (std::size_t i = 0; i < topology.devices.size(); ++i) {
    const auto& device = topology.devices[i];
    const bool card = device.kind == TopologyDevice::Kind::card;
    rows.push_back({{device.label, look_of(card ? TreeRole::card : TreeRole::network)},
                    {to_string(device.address), {}}});
    for (const auto& link : topology.links[i]) {
      rows.back().push_back({to_string(link), look_of(link.kind)});
    }
    rows.back().push_back({node_text(host, device), {}});
    const auto cpus = device.local_cpus.value_or("");
    rows.back().push_back({cpus.empty() ? "-" : cpus, {}});
  }
  return aligned_rows(rows, style);
}

std::string legend_text(const Topology& topology, const ReportStyle& style) {
  std::string text;
  for (Link::Kind kind : kinds_in(topology.links)) {
    const std::string word = kind == Link::Kind::nvlink ? "NVn" : to_string(Link{kind});
    text += fmt::format("  {}{}  {}\n", colored(word, look_of(kind), style),
                        std::string(4 - word.size(), ' '), in_words(kind));
  }
  if (!text.empty()) text = "\n" + text;
  return text;
}

/// Which text was laid over, which GPU of it is which card, and where the two differ.
std::string vendor_text(const Topology& topology, const ReportStyle& style) {
  if (topology.vendor_source.empty()) return {};
  std::vector<std::string> pairs;
  for (const auto& device : topology.devices) {
    if (device.vendor_label.empty()) continue;
    pairs.push_back(fmt::format("{} is {}", device.vendor_label, device.label));
  }
  const std::string how =
      fmt::format("Links between NVIDIA cards are those that nvidia-smi shows in {}: {}.",
                  topology.vendor_source, text::join(pairs, ", "));
  std::string text = "\n" + wrapped(how, 0, style.width) + "\n";
  for (const auto& note : topology.notes) {
    text += "note: " + wrapped(note, std::size("note:"), style.width) + "\n";
  }
  return text;
}

class TreePrinter {
 public:
  TreePrinter(const HostSnapshot& host, const TreeLabels& labels, const ReportStyle& style)
      : host_(host), labels_(labels), style_(style) {}

  std::string print(const plan::PciTree& tree) {
    for (const auto& root : tree.roots) {
      text_ += bold(fmt::format("root complex {}", root.name), style_) +
               fmt::format(", {}\n", node_words(root.numa_node));
      add_nodes(root.below, "");
    }
    if (tree.unplaced.empty()) return std::move(text_);
    text_ += bold("place in the PCI tree not known", style_) + "\n";
    std::vector<plan::PciTreeNode> nodes;
    for (const auto& address : tree.unplaced) nodes.push_back({address, {}});
    add_nodes(nodes, "");
    return std::move(text_);
  }

 private:
  struct Strokes {
    std::string_view child;
    std::string_view last_child;
    std::string_view beside;
    std::string_view after_last;
  };
  [[nodiscard]] const Strokes& strokes() const {
    static constexpr Strokes ascii = {"|-- ", "`-- ", "|   ", "    "};
    static constexpr Strokes unicode = {"├── ", "└── ", "│   ", "    "};
    return style_.strokes == ReportStyle::Strokes::ascii ? ascii : unicode;
  }

  void add_nodes(const std::vector<plan::PciTreeNode>& nodes, const std::string& before) {
    for (const auto& node : nodes) {
      const bool last = &node == &nodes.back();
      text_ += before;
      text_ += last ? strokes().last_child : strokes().child;
      text_ += line_of(node.address) + "\n";
      add_nodes(node.below, before + std::string(last ? strokes().after_last : strokes().beside));
    }
  }

  [[nodiscard]] std::string line_of(const PciAddress& address) const {
    const TreeWords words = tree_words(host_, address, labels_);
    const std::string name = words.label.empty()
                                 ? to_string(address)
                                 : fmt::format("{}  {}", to_string(address), words.label);
    std::string line =
        fmt::format("{}  {}", colored(name, look_of(words.role), style_), words.title);
    for (const auto& detail : words.details) line += ", " + detail;
    return line;
  }

  const HostSnapshot& host_;
  const TreeLabels& labels_;
  const ReportStyle& style_;
  std::string text_;
};

std::string bridge_title(const PciFunction& function) {
  if (function.capabilities.has_value() && !function.capabilities.value().silent) {
    const auto type = function.capabilities.value().type;
    const bool says_more = type != model::ExpressType::conventional &&
                           type != model::ExpressType::endpoint &&
                           type != model::ExpressType::other;
    if (says_more) return std::string(to_string(type));
  }
  return function.class_code.has_value() ? model::class_words(function.class_code.value())
                                         : "device of unknown class";
}

std::string part_title(const model::Card& card, const PciFunction& function,
                       const TreeLabels& labels) {
  std::string what = function.class_code.has_value()
                         ? model::class_words(function.class_code.value())
                         : "device of unknown class";
  auto label = labels.find(card.address);
  return fmt::format("{} of {}", what,
                     label != labels.end() ? label->second : to_string(card.address));
}

void add_details(const HostSnapshot& host, const PciFunction& function,
                 std::vector<std::string>& details) {
  const bool bridge =
      function.class_code.has_value() && model::is_bridge_class(function.class_code.value());
  if (function.iommu_group.has_value()) {
    details.push_back(fmt::format("group {}", function.iommu_group.value()));
  } else if (function.iommu_group.is_unreadable()) {
    details.emplace_back("group not readable");
  }
  if (!function.driver.empty()) {
    if (!bridge || function.driver != "pcieport") details.push_back(function.driver);
  } else if (!bridge && driver_is_known(host, function)) {
    details.emplace_back("no driver");
  }
  auto virtual_functions = std::ranges::count_if(host.functions, [&](const PciFunction& other) {
    return other.physical_function == function.address;
  });
  if (virtual_functions > 0) {
    details.push_back(
        fmt::format("{} virtual function{}", virtual_functions, virtual_functions == 1 ? "" : "s"));
  }
}

}  // namespace

TreeLabels labels_of(const Topology& topology) {
  TreeLabels labels;
  for (const auto& device : topology.devices) labels[device.address] = device.label;
  return labels;
}

TreeWords tree_words(const HostSnapshot& host, const PciAddress& address,
                     const TreeLabels& labels) {
  TreeWords words;
  if (auto label = labels.find(address); label != labels.end()) words.label = label->second;
  const PciFunction* function = host.function(address);
  if (function == nullptr) {
    words.title = "nothing more is known of it";
    return words;
  }
  const model::Card* card = host.card_of(address);
  const bool network =
      function->class_code.has_value() && model::is_network_class(function->class_code.value());
  if (card != nullptr && card->address == address) {
    words.role = TreeRole::card;
    words.title = short_name(*function);
  } else if (card != nullptr) {
    words.role = TreeRole::card_part;
    words.title = part_title(*card, *function, labels);
  } else if (network) {
    words.role = TreeRole::network;
    words.title = short_name(*function);
  } else {
    words.title = bridge_title(*function);
  }
  add_details(host, *function, words.details);
  return words;
}

std::string node_words(const std::optional<int>& node) {
  return node ? fmt::format("NUMA node {}", *node) : "NUMA node not known";
}

std::vector<Link::Kind> kinds_in(const Topology::Matrix& matrix) {
  std::vector<Link::Kind> kinds;
  for (Link::Kind kind : nearest_first) {
    const bool there = std::ranges::any_of(matrix, [&](const std::vector<Link>& row) {
      return std::ranges::find(row, kind, &Link::kind) != row.end();
    });
    if (there) kinds.push_back(kind);
  }
  return kinds;
}

std::string tree_text(const HostSnapshot& host, const plan::PciTree& tree, const TreeLabels& labels,
                      const ReportStyle& style) {
  return TreePrinter(host, labels, style).print(tree);
}

std::string topology_text(const HostSnapshot& host, const Topology& topology,
                          const ReportStyle& style) {
  if (topology.devices.empty()) {
    return list_text(host, style) + "It shows no network controllers either.\n";
  }
  const auto tree = plan::pci_tree(host, plan::TreeOf::cards_and_networks);
  return matrix_text(host, topology, style) + legend_text(topology, style) +
         vendor_text(topology, style) + "\n" + tree_text(host, tree, labels_of(topology), style);
}

std::string card_tree_text(const HostSnapshot& host, const ReportStyle& style) {
  if (host.cards.empty()) return list_text(host, style);
  return tree_text(host, plan::pci_tree(host, plan::TreeOf::cards), {}, style);
}

}  // namespace tessera::app
