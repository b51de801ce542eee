// SPDX-License-Identifier: Apache-2.0
#include "app/printers/topology.h"

#include <gtest/gtest.h>

#include "app/printers/svg.h"
#include "app/printers/topology_svg.h"
#include "base/text.h"
#include "probe/probe.h"

namespace tessera::app {
namespace {

using model::HostSnapshot;
using model::Link;

HostSnapshot recorded(const std::string& name) {
  auto root = kernel::Root::open(std::string(TESSERA_TESTS_DIR "/hosts/") + name + "/tree.tsv");
  EXPECT_TRUE(root) << name;
  auto host = root ? probe::take_snapshot(*root) : Result<HostSnapshot>(HostSnapshot{});
  EXPECT_TRUE(host) << name;
  return host ? std::move(*host) : HostSnapshot{};
}

/// The first row of the matrix, a word a cell.
std::string first_row(const std::string& name) {
  std::vector<std::string> words;
  const auto topology = plan::topology_of(recorded(name));
  for (const auto& link : topology.links.at(0)) words.push_back(to_string(link));
  return text::join(words, " ");
}

TEST(RecordedTopology, of_a_dgx_2_has_pairs_boards_and_sockets) {
  EXPECT_EQ(first_row("nvidia-dgx2h-16xV100-nvswitch"),
            "X PIX PXB PXB NODE NODE NODE NODE SYS SYS SYS SYS SYS SYS SYS SYS");
}

TEST(RecordedTopology, of_power_hosts_has_a_host_bridge_for_each_card) {
  EXPECT_EQ(first_row("power8-4xP100-nvlink"), "X NODE SYS SYS");
  EXPECT_EQ(first_row("power9-6gpu-nvlink-numa"), "X ? ? ? ? ?") << "recorded without paths";
}

TEST(RecordedTopology, of_xeon_hosts_has_one_host_bridge_a_socket) {
  EXPECT_EQ(first_row("xeon-2s-mic-138pci"), "X SYS PHB PHB SYS");
  EXPECT_EQ(first_row("xeon-4node-pcilocality"), "X PHB PHB PHB PHB ?");
  EXPECT_EQ(first_row("lab-numa"), "X SYS");
}

TEST(TopologyText, has_the_lines_and_colors_that_the_terminal_can_show) {
  auto host = recorded("lab-numa");
  auto topology = plan::topology_of(host);
  std::string plain = topology_text(host, topology, {});
  EXPECT_NE(plain.find("`-- 0000:41:00.1  audio device of C0"), std::string::npos) << plain;
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  ReportStyle terminal;
  terminal.color = ReportStyle::Color::ansi;
  terminal.strokes = ReportStyle::Strokes::unicode;
  std::string colorful = topology_text(host, topology, terminal);
  EXPECT_NE(colorful.find("└── \x1b"), std::string::npos) << colorful;
  EXPECT_NE(colorful.find("\x1b[31mSYS"), std::string::npos) << colorful;
}

TEST(TopologyText, says_what_the_vendor_text_brought) {
  auto host = recorded("power8-4xP100-nvlink");
  auto topology = plan::topology_of(host);
  topology.vendor_source = "smi.txt";
  topology.devices[0].vendor_label = "GPU0";
  topology.links[0][1] = topology.links[1][0] = {Link::Kind::nvlink, 2};
  topology.notes = {"they differ"};
  std::string text = topology_text(host, topology, {});
  EXPECT_NE(text.find("nvidia-smi shows in smi.txt: GPU0 is\nC0."), std::string::npos) << text;
  EXPECT_NE(text.find("note: they differ\n"), std::string::npos) << text;
  EXPECT_NE(text.find("NVn   n NVLinks"), std::string::npos) << text;
  EXPECT_EQ(kinds_in(topology.links).front(), Link::Kind::nvlink);
}

TEST(TopologyText, of_a_host_without_devices_says_so) {
  auto host = recorded("nvidia-a2-sriov-mdev");
  std::string text = topology_text(host, plan::topology_of(host), {});
  EXPECT_NE(text.find("no network controllers either"), std::string::npos) << text;
  EXPECT_EQ(card_tree_text(host, {}).find("root complex"), std::string::npos);
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

TEST(TopologyPicture, has_each_card_twice_and_each_link_once) {
  auto host = recorded("nvidia-dgx2h-16xV100-nvswitch");
  std::string svg = topology_svg(host, plan::topology_of(host));
  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
  EXPECT_EQ(count(svg, "<text"), count(svg, "</text>"));
  EXPECT_EQ(count(svg, ">0000:e7:00.0<"), 2U) << "in the tree and beside the matrix";
  EXPECT_EQ(count(svg, ">C15<"), 3U) << "in the tree, above and beside the matrix";
  EXPECT_EQ(count(svg, ">SYS<"), 16U * 8 + 1) << "the cells and the legend";
  EXPECT_EQ(count(svg, ">root complex<"), 4U);
  EXPECT_EQ(count(card_tree_svg(host), ">SYS<"), 0U);
}

TEST(SvgWriter, escapes_what_would_end_a_text_and_cuts_what_is_too_long) {
  EXPECT_EQ(svg_escaped("<a & \"b'>\x01\xff"), "&lt;a &amp; &quot;b&#39;&gt;\\x01\\xff");
  SvgWriter svg;
  const SvgText look;
  const std::string name(200, 'W');
  svg.text_within(0, 0, 100, name, look);
  std::string picture = svg.finish(10, 10, "<t>");
  EXPECT_NE(picture.find("<title>" + name + "</title>"), std::string::npos);
  EXPECT_NE(picture.find(std::string(svg_columns(100, look) - 3, 'W') + "...</text>"),
            std::string::npos);
  EXPECT_NE(picture.find("<title>&lt;t&gt;</title>"), std::string::npos);
}

}  // namespace
}  // namespace tessera::app
