// SPDX-License-Identifier: Apache-2.0
#include "plan/isolation.h"

#include <gtest/gtest.h>

#include "plan/checks/test_host.h"

namespace tessera::plan {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

TEST(isolation, a_card_alone_in_its_group_has_no_foreign_members) {
  auto host = good_host();
  EXPECT_TRUE(foreign_members(host, host.cards[0]).empty());
  EXPECT_TRUE(has_groups(host, host.cards[0]));
}

TEST(isolation, a_bridge_on_its_port_driver_is_not_foreign) {
  auto host = good_host();
  move_to_group(host, root_port, 2);
  EXPECT_TRUE(foreign_members(host, host.cards[0]).empty());
  edit(host, root_port).driver = "";
  EXPECT_TRUE(foreign_members(host, host.cards[0]).empty());
}

TEST(isolation, a_bridge_on_another_driver_keeps_the_group_from_vfio) {
  auto host = good_host();
  move_to_group(host, root_port, 2);
  edit(host, root_port).driver = "lpc_ich";
  auto troubles = foreign_members(host, host.cards[0]);
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0].foreign, std::vector{root_port});
}

TEST(isolation, a_network_card_in_the_group_is_foreign_and_the_port_above_both_is_named) {
  auto host = good_host();
  move_to_group(host, network, 2);
  move_to_group(host, root_port, 2);
  edit(host, network).parent = root_port;
  auto troubles = foreign_members(host, host.cards[0]);
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0].group, 2);
  EXPECT_EQ(troubles[0].foreign, std::vector{network});
  EXPECT_NE(troubles[0].reason.find("0000:00:01.0"), std::string::npos) << troubles[0].reason;
  EXPECT_NE(troubles[0].reason.find("ACS"), std::string::npos) << troubles[0].reason;
}

TEST(isolation, a_conventional_bus_is_told_from_missing_acs) {
  auto host = good_host();
  move_to_group(host, network, 2);
  move_to_group(host, root_port, 2);
  edit(host, network).parent = root_port;
  edit(host, network).express = false;
  auto troubles = foreign_members(host, host.cards[0]);
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_NE(troubles[0].reason.find("conventional PCI bus below 0000:00:01.0"), std::string::npos)
      << troubles[0].reason;
}

TEST(isolation, functions_of_one_device_are_named_as_that) {
  auto host = good_host();
  host.cards[0].functions = {gpu};
  auto troubles = foreign_members(host, host.cards[0]);
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0].foreign, std::vector{audio});
  EXPECT_NE(troubles[0].reason.find("functions of one device, 0000:01:00"), std::string::npos);
}

TEST(isolation, a_virtual_function_of_the_card_is_its_own) {
  auto host = good_host();
  auto slice = function_at(at(1, 0, 4), class_vga, "nvidia", 2);
  slice.physical_function = gpu;
  host.functions.push_back(slice);
  host.groups[2].members.push_back(slice.address);
  EXPECT_TRUE(foreign_members(host, host.cards[0]).empty());
}

TEST(isolation, a_member_that_the_snapshot_does_not_know_is_foreign) {
  auto host = good_host();
  host.groups[2].members.push_back(at(7, 0, 0));
  auto troubles = foreign_members(host, host.cards[0]);
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0].foreign, std::vector{at(7, 0, 0)});
  EXPECT_EQ(describe_function(host, at(7, 0, 0)), "0000:07:00.0");
}

TEST(isolation, ports_without_a_common_bridge_are_named_together) {
  auto host = good_host();
  auto second_port = function_at(at(0, 1, 1), class_pci_bridge, "pcieport", 2);
  host.functions.push_back(second_port);
  host.groups[2].members.push_back(second_port.address);
  move_to_group(host, root_port, 2);
  move_to_group(host, network, 2);
  edit(host, network).parent = second_port.address;
  auto troubles = foreign_members(host, host.cards[0]);
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_NE(troubles[0].reason.find("0000:00:01.0, 0000:00:01.1"), std::string::npos)
      << troubles[0].reason;
}

TEST(isolation, parents_in_a_circle_do_not_hang) {
  auto host = good_host();
  edit(host, root_port).parent = root_port;
  EXPECT_EQ(common_bridge(host, {gpu, audio}), root_port);
  edit(host, audio).parent = std::nullopt;
  EXPECT_EQ(common_bridge(host, {gpu, audio}), std::nullopt);
  EXPECT_EQ(common_bridge(host, {}), std::nullopt);
}

TEST(isolation, a_refused_device_is_named_with_class_name_and_driver) {
  auto host = good_host();
  EXPECT_EQ(describe_function(host, network),
            "0000:02:00.0 (Ethernet controller, Intel Corporation 82574L Gigabit Network "
            "Connection, driver e1000e)");
}

}  // namespace
}  // namespace tessera::plan
