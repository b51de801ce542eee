// SPDX-License-Identifier: Apache-2.0
#include "plan/topology.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace tessera::plan {
namespace {

using model::HostSnapshot;
using model::Link;
using model::PciFunction;
using model::VendorTopology;

constexpr std::uint32_t gpu = 0x030200;
constexpr std::uint32_t ethernet = 0x020000;

/// One device: its path below /sys/devices (or only an address), its class and node.
struct Device {
  const char* path;
  std::uint32_t class_code = gpu;
  int node = -1;
};

HostSnapshot host_of(const std::vector<Device>& devices) {
  HostSnapshot host;
  host.source = "here";
  for (const auto& device : devices) {
    PciFunction function;
    const std::string path = device.path;
    if (path.find('/') != std::string::npos) function.sysfs_path = "/sys/devices/" + path;
    function.address = *model::parse_pci_address(path.substr(path.rfind('/') + 1));
    function.class_code = device.class_code;
    function.vendor = std::uint16_t{0x10de};
    function.numa_node = device.node;
    host.functions.push_back(function);
    if (device.class_code != gpu) continue;
    model::Card card;
    card.address = function.address;
    card.functions = {function.address};
    host.cards.push_back(card);
  }
  std::ranges::sort(host.functions, {}, &PciFunction::address);
  std::ranges::sort(host.cards, {}, &model::Card::address);
  return host;
}

std::string link_of(const Device& a, const Device& b) {
  auto topology = topology_of(host_of({a, b}));
  EXPECT_EQ(topology.links[0][1], topology.links[1][0]);
  EXPECT_EQ(topology.links[0][0], Link{Link::Kind::self});
  return to_string(topology.links[0][1]);
}

TEST(TopologyOf, has_one_switch_between_two_cards_on_its_downstream_ports) {
  EXPECT_EQ(link_of({"pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:08.0/0000:03:00.0"},
                    {"pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:10.0/0000:04:00.0"}),
            "PIX");
}

TEST(TopologyOf, has_one_bridge_at_most_between_functions_of_one_slot) {
  EXPECT_EQ(link_of({"pci0000:00/0000:00:01.0/0000:01:00.0", ethernet},
                    {"pci0000:00/0000:00:01.0/0000:01:00.1", ethernet}),
            "PIX");
}

TEST(TopologyOf, has_several_switches_where_one_hangs_below_the_other) {
  EXPECT_EQ(link_of({"pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:08.0/0000:03:00.0"},
                    {"pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:10.0/0000:04:00.0/"
                     "0000:05:00.0/0000:06:00.0"}),
            "PXB");
}

TEST(TopologyOf, goes_through_the_host_bridge_between_two_root_ports_or_root_bus_devices) {
  EXPECT_EQ(link_of({"pci0000:00/0000:00:01.0/0000:01:00.0", gpu, 0},
                    {"pci0000:00/0000:00:02.0/0000:02:00.0", gpu, 0}),
            "PHB");
  EXPECT_EQ(link_of({"pci0000:00/0000:00:02.0"}, {"pci0000:00/0000:00:1f.6", ethernet}), "PHB");
}

TEST(TopologyOf, needs_the_nodes_of_both_to_tell_node_from_sys) {
  const char* here = "pci0000:00/0000:00:01.0/0000:01:00.0";
  const char* there = "pci0000:80/0000:80:01.0/0000:81:00.0";
  EXPECT_EQ(link_of({here, gpu, 0}, {there, gpu, 0}), "NODE");
  EXPECT_EQ(link_of({here, gpu, 0}, {there, gpu, 1}), "SYS");
  EXPECT_EQ(link_of({here, gpu, 0}, {there, gpu, -1}), "?");
}

TEST(TopologyOf, takes_the_only_node_of_a_host_where_the_firmware_names_none) {
  auto host =
      host_of({{"pci0000:00/0000:00:01.0/0000:01:00.0"}, {"pci0000:80/0000:80:01.0/0000:81:00.0"}});
  host.nodes = {model::MemoryNode{}};
  EXPECT_EQ(to_string(topology_of(host).links[0][1]), "NODE");
  host.nodes.resize(2);
  EXPECT_EQ(to_string(topology_of(host).links[0][1]), "?");
}

TEST(TopologyOf, invents_no_place_for_a_device_without_a_path) {
  EXPECT_EQ(link_of({"0000:01:00.0", gpu, 0}, {"0000:01:00.1", ethernet, 0}), "?");
}

TEST(TopologyOf, leaves_out_virtual_functions_and_names_cards_before_networks) {
  auto host = host_of({{"pci0000:00/0000:00:01.0/0000:01:00.0", ethernet},
                       {"pci0000:00/0000:00:01.0/0000:01:10.0", ethernet},
                       {"pci0000:00/0000:00:02.0/0000:02:00.0"}});
  host.functions[1].physical_function = host.functions[0].address;
  auto topology = topology_of(host);
  ASSERT_EQ(topology.devices.size(), 2U);
  EXPECT_EQ(topology.devices[0].label, "C0");
  EXPECT_EQ(to_string(topology.devices[0].address), "0000:02:00.0");
  EXPECT_EQ(topology.devices[1].label, "N0");
  EXPECT_EQ(topology.devices[1].path.front(), "pci0000:00");
}

/// A vendor's matrix of rows of words; GPUs first.
VendorTopology vendor_of(const std::vector<const char*>& rows) {
  VendorTopology vendor;
  for (const char* row : rows) {
    vendor.devices.push_back({fmt::format("GPU{}", vendor.devices.size()), "", ""});
    vendor.links.emplace_back();
    for (auto word : text::words(row)) vendor.links.back().push_back(*model::parse_link(word));
  }
  return vendor;
}

HostSnapshot two_on_two_bridges() {
  return host_of({{"pci0000:00/0000:00:01.0/0000:01:00.0", gpu, 0},
                  {"pci0000:80/0000:80:01.0/0000:81:00.0", gpu, 1}});
}

TEST(VendorLinks, bring_nvlinks_and_keep_the_pci_links_beside_them) {
  auto host = two_on_two_bridges();
  auto topology = topology_of(host);
  ASSERT_TRUE(add_vendor_links(host, vendor_of({"X NV4", "NV4 X"}), "smi.txt", topology));
  EXPECT_EQ(to_string(topology.links[0][1]), "NV4");
  EXPECT_EQ(to_string(topology.links[1][0]), "NV4");
  EXPECT_EQ(to_string(topology.pci_links[0][1]), "SYS");
  EXPECT_EQ(topology.devices[1].vendor_label, "GPU1");
  EXPECT_EQ(topology.vendor_source, "smi.txt");
  EXPECT_TRUE(topology.notes.empty());
}

TEST(VendorLinks, fill_in_what_is_not_known_and_note_where_they_differ) {
  auto unplaced = host_of({{"0000:01:00.0"}, {"0000:81:00.0"}});
  auto topology = topology_of(unplaced);
  ASSERT_TRUE(add_vendor_links(unplaced, vendor_of({"X PHB", "PHB X"}), "smi.txt", topology));
  EXPECT_EQ(to_string(topology.links[0][1]), "PHB");

  auto host = two_on_two_bridges();
  topology = topology_of(host);
  ASSERT_TRUE(add_vendor_links(host, vendor_of({"X PHB", "PHB X"}), "smi.txt", topology));
  EXPECT_EQ(to_string(topology.links[0][1]), "SYS");
  ASSERT_EQ(topology.notes.size(), 1U);
  EXPECT_EQ(topology.notes[0], "nvidia-smi says PHB between C0 and C1, the PCI tree says SYS");
}

TEST(VendorLinks, note_a_node_that_the_kernel_tells_otherwise) {
  auto host = two_on_two_bridges();
  auto topology = topology_of(host);
  auto vendor = vendor_of({"X SYS", "SYS X"});
  vendor.devices[0].numa_nodes = "0-7";
  vendor.devices[1].numa_nodes = "0";
  ASSERT_TRUE(add_vendor_links(host, vendor, "smi.txt", topology));
  ASSERT_EQ(topology.notes.size(), 1U);
  EXPECT_EQ(topology.notes[0], "nvidia-smi says NUMA node 0 for GPU1 (C1), the kernel says 1");
}

TEST(VendorLinks, belong_to_the_cards_that_the_driver_nvidia_has) {
  auto host = two_on_two_bridges();
  host.functions[0].driver = "vfio-pci";
  host.functions[1].driver = "nvidia";
  auto topology = topology_of(host);
  ASSERT_TRUE(add_vendor_links(host, vendor_of({"X"}), "smi.txt", topology));
  EXPECT_EQ(topology.devices[0].vendor_label, "");
  EXPECT_EQ(topology.devices[1].vendor_label, "GPU0");
}

TEST(VendorLinks, are_refused_when_the_text_has_another_number_of_gpus) {
  auto host = two_on_two_bridges();
  auto topology = topology_of(host);
  auto refused = add_vendor_links(host, vendor_of({"X"}), "smi.txt", topology);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
  EXPECT_EQ(refused.error().sentence,
            "the text shows 1 GPU; here has 2 NVIDIA cards that nvidia-smi can see "
            "(0000:01:00.0, 0000:81:00.0)");
  EXPECT_EQ(topology.links, topology.pci_links);
}

TEST(PciTree, leads_from_the_root_complexes_to_the_devices) {
  auto tree = pci_tree(host_of({{"pci0000:80/0000:80:01.0/0000:81:00.0", gpu, 0},
                                {"pci0000:00/0000:00:01.0/0000:01:00.0", gpu, 1},
                                {"pci0000:00/0000:00:01.0/0000:01:00.1", ethernet, 1},
                                {"0000:c1:00.0", ethernet, 1}}),
                       TreeOf::cards_and_networks);
  ASSERT_EQ(tree.roots.size(), 2U);
  EXPECT_EQ(tree.roots[0].name, "pci0000:80");  // node 0 comes first
  EXPECT_EQ(tree.roots[0].numa_node, 0);
  EXPECT_EQ(tree.roots[1].numa_node, 1);
  ASSERT_EQ(tree.roots[1].below.size(), 1U);
  EXPECT_EQ(to_string(tree.roots[1].below[0].address), "0000:00:01.0");
  EXPECT_EQ(tree.roots[1].below[0].below.size(), 2U);
  ASSERT_EQ(tree.unplaced.size(), 1U);
  EXPECT_EQ(to_string(tree.unplaced[0]), "0000:c1:00.0");
}

TEST(PciTree, of_cards_alone_has_no_networks_and_no_node_where_its_devices_disagree) {
  auto tree = pci_tree(host_of({{"pci0000:00/0000:00:01.0/0000:01:00.0", gpu, 0},
                                {"pci0000:00/0000:00:02.0/0000:02:00.0", ethernet, 1}}),
                       TreeOf::cards);
  ASSERT_EQ(tree.roots.size(), 1U);
  EXPECT_FALSE(tree.roots[0].numa_node.has_value());
  EXPECT_EQ(tree.roots[0].below.size(), 1U);
}

}  // namespace
}  // namespace tessera::plan
