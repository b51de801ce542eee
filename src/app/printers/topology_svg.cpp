// SPDX-License-Identifier: Apache-2.0
#include "app/printers/topology_svg.h"

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "app/printers/svg.h"
#include "app/printers/topology.h"
#include "base/text.h"
#include "plan/topology.h"

namespace tessera::app {

using model::HostSnapshot;
using model::Link;
using model::PciAddress;
using model::Topology;
using plan::PciTree;
using plan::PciTreeNode;

namespace {

// Lengths in pixels.
constexpr double margin = 24;
constexpr double padding = 14;     // inside a NUMA node
constexpr double row_gap = 8;      // between boxes above one another
constexpr double column_gap = 28;  // between a bridge and what is below it
constexpr double bridge_width = 118;
constexpr double leaf_width = 430;
constexpr double line_height = 16;
constexpr double box_padding = 7;  // above the first and below the last line
constexpr double text_indent = 10;
constexpr double label_width = 36;  // of "C15", before a name
constexpr double cell_width = 48;
constexpr double cell_height = 26;
constexpr double row_label_width = 150;
constexpr double legend_line = 22;
constexpr double base_line = 12;  // of a line's text, from its top

constexpr std::string_view wire = "#9aa5b1";
constexpr std::string_view gray = "#52606d";
constexpr SvgText heading{.size = 18, .bold = true};
constexpr SvgText section{.size = 13, .bold = true};
constexpr SvgText plain{.size = 12};
constexpr SvgText small{.size = 11, .color = gray};
constexpr SvgText place{.size = 11, .color = gray, .monospaced = true};

SvgLook look_of(TreeRole role) {
  switch (role) {
    case TreeRole::card:
      return {.fill = "#e6f4e1", .stroke = "#4a9a3d", .radius = 6};
    case TreeRole::card_part:
      return {.fill = "#f3faf1", .stroke = "#9ccb94", .radius = 6};
    case TreeRole::network:
      return {.fill = "#e3effb", .stroke = "#2f78c4", .radius = 6};
    case TreeRole::bridge:
      break;
  }
  return {.fill = "#ffffff", .stroke = wire, .radius = 6};
}

struct LinkLook {
  SvgLook cell;
  std::string_view text;
};

LinkLook look_of(Link::Kind kind) {
  constexpr std::string_view dark = "#1f2933";
  switch (kind) {
    case Link::Kind::self:
      return {{.fill = "#e4e7eb", .radius = 3}, "#7b8794"};
    case Link::Kind::nvlink:
      return {{.fill = "#6f42c1", .radius = 3}, "#ffffff"};
    case Link::Kind::pix:
      return {{.fill = "#b5e3ac", .radius = 3}, dark};
    case Link::Kind::pxb:
      return {{.fill = "#dcf1c8", .radius = 3}, dark};
    case Link::Kind::phb:
      return {{.fill = "#fdf0b5", .radius = 3}, dark};
    case Link::Kind::node:
      return {{.fill = "#fdd9a6", .radius = 3}, dark};
    case Link::Kind::sys:
      return {{.fill = "#f6b8aa", .radius = 3}, dark};
    case Link::Kind::unknown:
      break;
  }
  return {{.fill = "#ffffff", .stroke = "#cbd2d9", .radius = 3, .dashed = true}, gray};
}

/// Functions of one slot, drawn as one box: a card with its audio, a network card's ports.
struct Leaf {
  TreeRole role = TreeRole::bridge;
  std::vector<PciAddress> functions;
};

/// What hangs below a root complex or a bridge: leaves, and bridges with their own.
struct Branch {
  std::optional<PciAddress> bridge;
  std::vector<Branch> branches;
  std::vector<Leaf> leaves;
};

bool same_slot(const PciAddress& a, const PciAddress& b) {
  return a.domain == b.domain && a.bus == b.bus && a.device == b.device;
}

class TreeDrawing {
 public:
  TreeDrawing(const HostSnapshot& host, const TreeLabels& labels, SvgWriter& svg)
      : host_(host), labels_(labels), svg_(svg) {}

  /// Draws from `top` down; returns where it ends.
  double draw(const PciTree& tree, double top) {
    std::size_t depth = 0;
    for (const auto& root : tree.roots) depth = std::max(depth, depth_of(root.below));
    leaf_x_ = column_x(tree.roots.empty() ? 0 : depth + 1);
    double y = top;
    for (auto first = tree.roots.begin(); first != tree.roots.end();) {
      auto last = std::find_if(first, tree.roots.end(), [&](const plan::RootComplex& root) {
        return root.numa_node != first->numa_node;
      });
      y = draw_node({first, last}, y) + padding;
      first = last;
    }
    if (!tree.unplaced.empty()) y = draw_unplaced(tree.unplaced, y) + padding;
    return y;
  }

  [[nodiscard]] double right() const { return leaf_x_ + leaf_width + padding; }

 private:
  static double column_x(std::size_t depth) {
    return margin + padding + static_cast<double>(depth) * (bridge_width + column_gap);
  }

  /// Bridges above one another, at most.
  static std::size_t depth_of(const std::vector<PciTreeNode>& nodes) {
    std::size_t depth = 0;
    for (const auto& node : nodes) {
      if (!node.below.empty()) depth = std::max(depth, 1 + depth_of(node.below));
    }
    return depth;
  }

  Branch branch_of(const std::vector<PciTreeNode>& nodes) {
    Branch branch;
    for (const auto& node : nodes) {
      if (!node.below.empty()) {
        branch.branches.push_back(branch_of(node.below));
        branch.branches.back().bridge = node.address;
        continue;
      }
      add_to_leaves(node.address, branch.leaves);
    }
    return branch;
  }

  /// Functions that have nothing to do with each other get boxes of their own.
  void add_to_leaves(const PciAddress& address, std::vector<Leaf>& leaves) {
    const TreeRole role = tree_words(host_, address, labels_).role;
    const bool joins = !leaves.empty() && same_slot(leaves.back().functions.back(), address) &&
                       (role == TreeRole::card_part || role == leaves.back().role) &&
                       host_.card_of(address) == host_.card_of(leaves.back().functions.back());
    if (joins) {
      leaves.back().functions.push_back(address);
    } else {
      leaves.push_back({role, {address}});
    }
  }

  void frame(double top, double bottom, const std::string& title) {
    svg_.backdrop(margin, top, right() - margin, bottom - top,
                  {.fill = "#f7f9fb", .stroke = "#cbd2d9", .radius = 10});
    svg_.text(margin + padding, top + padding + base_line - 2, title, section);
  }

  double draw_node(std::span<const plan::RootComplex> roots, double top) {
    double y = top + padding + line_height + row_gap;
    for (const auto& root : roots) y = draw_root(root, y) + row_gap;
    y += padding - row_gap;
    frame(top, y, node_words(roots.front().numa_node));
    return y;
  }

  double draw_root(const plan::RootComplex& root, double top) {
    const Extent extent = draw_branches(branch_of(root.below), 0, top);
    constexpr double height = 2 * line_height + 2 * box_padding;
    const double y = extent.middle - height / 2;
    svg_.rectangle(column_x(0), y, bridge_width, height, {.fill = "#3b4656", .radius = 6});
    SvgText title{.size = 12, .color = "#ffffff", .bold = true};
    SvgText name{.size = 11, .color = "#e4e7eb", .monospaced = true};
    svg_.text(column_x(0) + text_indent, y + box_padding + base_line, "root complex", title);
    svg_.text(column_x(0) + text_indent, y + box_padding + line_height + base_line, root.name,
              name);
    return extent.bottom;
  }

  double draw_unplaced(const std::vector<PciAddress>& addresses, double top) {
    std::vector<Leaf> leaves;
    for (const auto& address : addresses) add_to_leaves(address, leaves);
    double y = top + padding + line_height + row_gap;
    for (const auto& leaf : leaves) y = draw_leaf(leaf, y).bottom + row_gap;
    y += padding - row_gap;
    frame(top, y, "place in the PCI tree not known");
    return y;
  }

  /// Where something was drawn: its end, and the height at which a wire meets it.
  struct Extent {
    double bottom = 0;
    double middle = 0;
  };

  /// All below a box in column `depth`, with the wires to it; the box itself is drawn by the caller
  /// at the middle.
  Extent draw_branches(const Branch& branch, std::size_t depth, double top) {
    constexpr double smallest = 2 * line_height + 2 * box_padding;
    std::vector<std::pair<double, double>> ends;  // x and y where wires end
    double y = top;
    for (const auto& below : branch.branches) {
      Extent extent = draw_bridge(below, depth + 1, y);
      ends.emplace_back(column_x(depth + 1), extent.middle);
      y = extent.bottom + row_gap;
    }
    for (const auto& leaf : branch.leaves) {
      Extent extent = draw_leaf(leaf, y);
      ends.emplace_back(leaf_x_, extent.middle);
      y = extent.bottom + row_gap;
    }
    const double bottom = std::max(y - row_gap, top + smallest);
    const double middle = (ends.front().second + ends.back().second) / 2;
    for (const auto& [x, end_y] : ends) {
      svg_.connector(column_x(depth) + bridge_width, middle, x, end_y, wire);
    }
    return {bottom, middle};
  }

  Extent draw_bridge(const Branch& branch, std::size_t depth, double top) {
    const TreeWords words = tree_words(host_, *branch.bridge, labels_);
    const auto lines = 2 + std::min<std::size_t>(words.details.size(), 1);
    const double height = static_cast<double>(lines) * line_height + 2 * box_padding;
    Extent extent = draw_branches(branch, depth, top);
    if (height > extent.bottom - top) extent.bottom = top + height;
    const double y = std::max(top, extent.middle - height / 2);
    const double x = column_x(depth);
    svg_.rectangle(x, y, bridge_width, height, look_of(TreeRole::bridge));
    const double width = bridge_width - 2 * text_indent;
    double line = y + box_padding + base_line;
    svg_.text_within(x + text_indent, line, width, to_string(*branch.bridge),
                     {.size = 11, .monospaced = true});
    svg_.text_within(x + text_indent, line += line_height, width, words.title, small);
    if (!words.details.empty()) {
      svg_.text_within(x + text_indent, line += line_height, width, text::join(words.details, ", "),
                       small);
    }
    return extent;
  }

  Extent draw_leaf(const Leaf& leaf, double top) {
    // A card and a network controller have a line for the name; each function has one of its own.
    double lines = 0;
    for (const auto& address : leaf.functions) {
      lines += tree_words(host_, address, labels_).role == TreeRole::card_part ? 1 : 2;
    }
    const double height = lines * line_height + 2 * box_padding;
    svg_.rectangle(leaf_x_, top, leaf_width, height, look_of(leaf.role));
    double line = top + box_padding + base_line;
    for (const auto& address : leaf.functions) line = write_function(address, line);
    return {top + height, top + height / 2};
  }

  double write_function(const PciAddress& address, double line) {
    const TreeWords words = tree_words(host_, address, labels_);
    const double x = leaf_x_ + text_indent;
    const double width = leaf_width - 2 * text_indent;
    std::vector<std::string> details = {to_string(address)};
    if (words.role == TreeRole::card_part) {
      details.push_back(words.title);
    } else {
      const double indent = words.label.empty() ? 0 : label_width;
      const SvgText name{.size = 12, .bold = true};
      svg_.text(x, line, words.label, name);
      svg_.text_within(x + indent, line, width - indent, words.title, name);
      line += line_height;
    }
    details.insert(details.end(), words.details.begin(), words.details.end());
    svg_.text_within(x, line, width, text::join(details, ", "), place);
    return line + line_height;
  }

  const HostSnapshot& host_;
  const TreeLabels& labels_;
  SvgWriter& svg_;
  double leaf_x_ = 0;
};

class MatrixDrawing {
 public:
  explicit MatrixDrawing(SvgWriter& svg) : svg_(svg) {}

  /// Draws from `top` down; returns where it ends.
  double draw(const Topology& topology, double top) {
    svg_.text(margin, top + base_line, "links", section);
    double y = top + line_height + row_gap;
    const double cells = margin + row_label_width;
    for (std::size_t i = 0; i < topology.devices.size(); ++i) {
      label(cells + (static_cast<double>(i) + 0.5) * cell_width, y + base_line,
            topology.devices[i].label);
    }
    y += line_height + 4;
    for (std::size_t i = 0; i < topology.devices.size(); ++i) {
      const double line = y + cell_height / 2 + 4;
      svg_.text(margin, line, topology.devices[i].label, {.size = 12, .bold = true});
      svg_.text(margin + 40, line, to_string(topology.devices[i].address), place);
      draw_row(topology.links[i], cells, y);
      y += cell_height;
    }
    return draw_legend(topology, y + padding);
  }

  static double right(const Topology& topology) {
    return margin + row_label_width + static_cast<double>(topology.devices.size()) * cell_width;
  }

 private:
  void label(double x, double y, const std::string& text) {
    svg_.text(x, y, text, {.size = 12, .bold = true, .anchor = SvgText::Anchor::middle});
  }

  void cell(double x, double y, const Link& link, std::string_view word) {
    const LinkLook look = look_of(link.kind);
    svg_.rectangle(x + 1, y + 1, cell_width - 2, cell_height - 2, look.cell);
    svg_.text(x + cell_width / 2, y + cell_height / 2 + 4, word,
              {.size = 11,
               .color = look.text,
               .bold = link.kind == Link::Kind::nvlink,
               .anchor = SvgText::Anchor::middle});
  }

  void draw_row(const std::vector<Link>& links, double x, double y) {
    for (const auto& link : links) {
      cell(x, y, link, to_string(link));
      x += cell_width;
    }
  }

  double draw_legend(const Topology& topology, double y) {
    constexpr double line = cell_height + 2;
    for (Link::Kind kind : kinds_in(topology.links)) {
      cell(margin, y, Link{kind}, kind == Link::Kind::nvlink ? "NVn" : to_string(Link{kind}));
      svg_.text(margin + cell_width + text_indent, y + cell_height / 2 + 4, in_words(kind), plain);
      y += line;
    }
    if (!topology.vendor_source.empty()) {
      svg_.text(margin, y + base_line + 4, "links between NVIDIA cards as nvidia-smi shows them",
                small);
      y += legend_line;
    }
    return y;
  }

  SvgWriter& svg_;
};

std::string counted(std::size_t count, std::string_view what) {
  const std::string number = count == 0 ? "no" : std::to_string(count);
  return fmt::format("{} {}{}", number, what, count == 1 ? "" : "s");
}

/// The heading, and how wide it is.
double draw_heading(SvgWriter& svg, const std::string& title, const std::string& below) {
  constexpr double title_line = 40;
  svg.text(margin, title_line, title, heading);
  svg.text(margin, title_line + 20, below, small);
  return title_line + 20 + padding;
}

/// The narrowest picture: the heading has to fit, and a legend's line.
constexpr double narrowest = 460;

double width_for(const std::string& title, double content) {
  const auto columns = static_cast<double>(svg_columns(narrowest, heading));
  const double text = static_cast<double>(title.size()) / columns * narrowest;
  return std::max({content, text + margin, narrowest}) + margin;
}

}  // namespace

std::string topology_svg(const HostSnapshot& host, const Topology& topology) {
  SvgWriter svg;
  const auto labels = labels_of(topology);
  const std::string title = fmt::format("PCI topology of {}", host.source);
  const auto cards = static_cast<std::size_t>(std::ranges::count(
      topology.devices, model::TopologyDevice::Kind::card, &model::TopologyDevice::kind));
  double y = draw_heading(
      svg, title,
      text::join(
          {counted(cards, "card"), counted(topology.devices.size() - cards, "network controller")},
          ", "));
  TreeDrawing tree(host, labels, svg);
  y = tree.draw(plan::pci_tree(host, plan::TreeOf::cards_and_networks), y);
  double right = tree.right();
  if (!topology.devices.empty()) {
    y = MatrixDrawing(svg).draw(topology, y + row_gap);
    right = std::max(right, MatrixDrawing::right(topology));
  }
  return svg.finish(width_for(title, right), y + margin, title);
}

std::string card_tree_svg(const HostSnapshot& host) {
  SvgWriter svg;
  const std::string title = fmt::format("cards of {}", host.source);
  double y = draw_heading(svg, title, counted(host.cards.size(), "card"));
  const TreeLabels none;
  TreeDrawing tree(host, none, svg);
  y = tree.draw(plan::pci_tree(host, plan::TreeOf::cards), y);
  return svg.finish(width_for(title, tree.right()), y + margin, title);
}

}  // namespace tessera::app
