// SPDX-License-Identifier: Apache-2.0
#include "model/topology.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tessera::model {
namespace {

using Kind = Link::Kind;

TEST(Link, is_written_and_read_with_the_same_word) {
  for (Kind kind :
       {Kind::self, Kind::pix, Kind::pxb, Kind::phb, Kind::node, Kind::sys, Kind::unknown}) {
    EXPECT_EQ(parse_link(to_string(Link{kind})), Link{kind}) << to_string(Link{kind});
    EXPECT_FALSE(in_words(kind).empty());
  }
  for (int count : {1, 2, 12, 18}) {
    EXPECT_EQ(parse_link(to_string(Link{Kind::nvlink, count})), (Link{Kind::nvlink, count}));
  }
}

TEST(Link, has_an_older_word_for_the_way_between_sockets) {
  EXPECT_EQ(parse_link("SOC"), Link{Kind::sys});
}

TEST(Link, is_not_made_of_a_word_that_nvidia_smi_does_not_print) {
  for (const char* word : {"", "NV", "NV0", "NV-1", "NV1x", "NV01", "NV99999999999", "NVn", "pix",
                           "PIXX", "N/A", "GPU0", "OK"}) {
    EXPECT_FALSE(parse_link(word)) << word;
  }
}

TEST(VendorTopology, tells_gpus_by_their_names) {
  EXPECT_TRUE(is_gpu_name("GPU0"));
  EXPECT_TRUE(is_gpu_name("GPU15"));
  for (const char* name : {"GPU", "GPUx", "NIC0", "mlx5_0", ""}) EXPECT_FALSE(is_gpu_name(name));
}

TEST(TopologyJson, leaves_out_what_is_not_known_and_keeps_what_the_firmware_does_not_say) {
  Topology topology;
  topology.source = "here";
  topology.devices.resize(2);
  topology.devices[0].label = "C0";
  topology.devices[1].label = "N0";
  topology.devices[1].kind = TopologyDevice::Kind::nic;
  topology.devices[1].numa_node = -1;
  topology.pci_links = {{Link{Kind::self}, Link{}}, {Link{}, Link{Kind::self}}};
  topology.links = topology.pci_links;
  auto json = to_json(topology);
  EXPECT_EQ(json.at("schema"), "tessera/topology/1");
  EXPECT_FALSE(json.contains("vendor_source"));
  EXPECT_FALSE(json.at("devices")[0].contains("numa_node"));
  EXPECT_FALSE(json.at("devices")[0].contains("path"));
  EXPECT_EQ(json.at("devices")[1].at("numa_node"), -1);
  EXPECT_EQ(json.at("devices")[1].at("kind"), "nic");
  EXPECT_EQ(json.at("links")[0], (std::vector<std::string>{"X", "?"}));
}

}  // namespace
}  // namespace tessera::model
