// SPDX-License-Identifier: Apache-2.0
#include "probe/cards.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "probe/pci.h"

namespace tessera::probe {
namespace {

using model::Card;
using model::PciFunction;

struct Given {
  const char* path;  ///< below /sys/devices; or only an address, when the topology is not known
  std::uint32_t class_code;
  std::uint16_t vendor;
  int group = -1;
};

std::vector<PciFunction> host_of(const std::vector<Given>& given) {
  std::vector<PciFunction> functions;
  for (const auto& g : given) {
    PciFunction function;
    std::string path(g.path);
    if (path.starts_with("pci")) function.sysfs_path = "/sys/devices/" + path;
    auto chain = addresses_in_path(path);
    function.address = chain.back();
    if (chain.size() > 1) function.parent = chain[chain.size() - 2];
    function.class_code = g.class_code;
    function.vendor = g.vendor;
    function.device = std::uint16_t{0x1234};
    if (g.group >= 0) function.iommu_group = g.group;
    functions.push_back(function);
  }
  std::ranges::sort(functions, {}, &PciFunction::address);
  return functions;
}

std::vector<std::string> names(const Card& card) {
  std::vector<std::string> list;
  for (const auto& address : card.functions) list.push_back(to_string(address));
  return list;
}

using Names = std::vector<std::string>;

TEST(Cards, take_all_functions_of_a_slot_but_no_bridge_and_no_virtual_function) {
  auto functions = host_of({{"0000:01:00.0", 0x030000, 0x10de, 4},
                            {"0000:01:00.1", 0x040300, 0x10de, 4},
                            {"0000:01:00.2", 0x0c0330, 0x10de, 4},
                            {"0000:01:00.3", 0x0c8000, 0x10de, 5},
                            {"0000:01:00.4", 0x030200, 0x10de, 6},
                            {"0000:01:00.5", 0x060400, 0x10de, 7},
                            {"0000:02:00.0", 0x020000, 0x8086, 4}});
  functions[4].physical_function = functions[0].address;
  auto cards = find_cards(functions);
  ASSERT_EQ(cards.size(), 1U);
  EXPECT_EQ(names(cards[0]),
            (Names{"0000:01:00.0", "0000:01:00.1", "0000:01:00.2", "0000:01:00.3"}));
  EXPECT_EQ(cards[0].groups, (std::vector<int>{4, 5}));
  EXPECT_FALSE(cards[0].integrated);
}

TEST(Cards, have_the_audio_of_their_slot_whoever_made_it) {
  auto cards =
      find_cards(host_of({{"0000:01:00.0", 0x038000, 0x1234}, {"0000:01:00.1", 0x040300, 0x8086}}));
  ASSERT_EQ(cards.size(), 1U);
  EXPECT_EQ(names(cards[0]), (Names{"0000:01:00.0", "0000:01:00.1"}));
}

TEST(Cards, keep_to_their_maker_where_two_makers_share_a_slot) {
  auto cards = find_cards(host_of({{"0000:84:00.0", 0x030200, 0x10de},
                                   {"0000:84:00.1", 0x030000, 0x1002},
                                   {"0000:84:00.2", 0x118000, 0x8086}}));
  ASSERT_EQ(cards.size(), 2U);
  EXPECT_EQ(names(cards[0]), (Names{"0000:84:00.0"}));
  EXPECT_EQ(names(cards[1]), (Names{"0000:84:00.1"}));
}

TEST(Cards, see_every_class_that_a_gpu_can_have) {
  auto cards = find_cards(host_of({{"0000:01:00.0", 0x030200, 0x10de},
                                   {"0000:02:00.0", 0x038000, 0x8086},
                                   {"0000:03:00.0", 0x120000, 0x1002},
                                   {"0000:04:00.0", 0x0b4000, 0x8086},
                                   {"0000:05:00.0", 0x030000, 0x1a03}}));
  EXPECT_EQ(cards.size(), 5U);
}

TEST(Cards, find_the_audio_behind_the_boards_own_switch_on_an_intel_host) {
  // An Arc on an Intel host: the root port above its switch is Intel's too.
  const std::string up = "pci0000:00/0000:00:01.0/0000:03:00.0";
  const std::string vga = up + "/0000:04:01.0/0000:05:00.0";
  const std::string audio = up + "/0000:04:04.0/0000:06:00.0";
  const std::string port_a = up + "/0000:04:01.0";
  const std::string port_b = up + "/0000:04:04.0";
  auto cards = find_cards(host_of({{"pci0000:00/0000:00:01.0", 0x060400, 0x8086, 1},
                                   {"pci0000:00/0000:00:1f.3", 0x040300, 0x8086, 2},
                                   {up.c_str(), 0x060400, 0x8086, 23},
                                   {port_a.c_str(), 0x060400, 0x8086, 24},
                                   {port_b.c_str(), 0x060400, 0x8086, 25},
                                   {vga.c_str(), 0x030000, 0x8086, 26},
                                   {audio.c_str(), 0x040300, 0x8086, 27}}));
  ASSERT_EQ(cards.size(), 1U);
  EXPECT_EQ(names(cards[0]), (Names{"0000:05:00.0", "0000:06:00.0"}));
  EXPECT_EQ(cards[0].groups, (std::vector<int>{26, 27}));
}

TEST(Cards, do_not_reach_over_a_switch_that_has_other_devices_or_another_gpu) {
  const std::string up = "pci0000:00/0000:00:01.0/0000:03:00.0";
  for (auto [other_class, count] :
       {std::pair{0x020000U, 1U}, std::pair{0x030000U, 2U}, std::pair{0x010802U, 1U}}) {
    const std::string a = up + "/0000:04:01.0";
    const std::string b = up + "/0000:04:04.0";
    const std::string vga = a + "/0000:05:00.0";
    const std::string other = b + "/0000:06:00.0";
    auto cards = find_cards(host_of({{"pci0000:00/0000:00:01.0", 0x060400, 0x8086},
                                     {up.c_str(), 0x060400, 0x8086},
                                     {a.c_str(), 0x060400, 0x8086},
                                     {b.c_str(), 0x060400, 0x8086},
                                     {vga.c_str(), 0x030000, 0x8086},
                                     {other.c_str(), other_class, 0x8086}}));
    ASSERT_EQ(cards.size(), count);
    EXPECT_EQ(names(cards[0]), (Names{"0000:05:00.0"}));
  }
}

TEST(Cards, leave_a_switch_of_another_vendor_alone) {
  const std::string up = "pci0000:00/0000:00:01.0/0000:03:00.0";
  const std::string gpu = up + "/0000:04:01.0/0000:05:00.0";
  const std::string usb = up + "/0000:04:04.0/0000:06:00.0";
  const std::string a = up + "/0000:04:01.0";
  auto cards = find_cards(host_of({{up.c_str(), 0x060400, 0x10b5},
                                   {a.c_str(), 0x060400, 0x10b5},
                                   {gpu.c_str(), 0x030000, 0x10de},
                                   {usb.c_str(), 0x0c0330, 0x10de}}));
  ASSERT_EQ(cards.size(), 1U);
  EXPECT_EQ(names(cards[0]), (Names{"0000:05:00.0"}));
}

TEST(Cards, keep_a_processors_own_parts_out_of_its_graphics) {
  auto cards = find_cards(host_of({{"0000:04:00.0", 0x030000, 0x1002, 10},
                                   {"0000:04:00.1", 0x040300, 0x1002, 11},
                                   {"0000:04:00.2", 0x108000, 0x1022, 12},
                                   {"0000:04:00.3", 0x0c0330, 0x1022, 13},
                                   {"0000:04:00.6", 0x040300, 0x1022, 14}}));
  ASSERT_EQ(cards.size(), 1U);
  EXPECT_TRUE(cards[0].integrated);
  EXPECT_EQ(names(cards[0]), (Names{"0000:04:00.0", "0000:04:00.1"}));
  EXPECT_EQ(cards[0].groups, (std::vector<int>{10, 11}));
}

TEST(Cards, know_intels_integrated_graphics_by_its_place) {
  auto cards = find_cards(host_of({{"0000:00:02.0", 0x030000, 0x8086},
                                   {"0000:00:02.1", 0x038000, 0x8086},
                                   {"0000:03:00.0", 0x030000, 0x8086}}));
  ASSERT_EQ(cards.size(), 2U);
  EXPECT_TRUE(cards[0].integrated);
  EXPECT_EQ(names(cards[0]), (Names{"0000:00:02.0", "0000:00:02.1"}));
  EXPECT_FALSE(cards[1].integrated);
}

TEST(CardIdentity, has_no_bus_number_that_a_firmware_hands_out) {
  auto before = host_of({{"pci0000:00/0000:00:03.0/0000:01:00.0", 0x030200, 0x10de}});
  auto after = host_of({{"pci0000:00/0000:00:03.0/0000:09:00.0", 0x030200, 0x10de}});
  EXPECT_EQ(card_identity(before[0]), "10de:1234@0000/03.0/00.0");
  EXPECT_EQ(card_identity(before[0]), card_identity(after[0]));
}

TEST(CardIdentity, tells_identical_cards_below_two_sockets_apart) {
  auto functions = host_of({{"pci0000:00/0000:00:03.0/0000:01:00.0", 0x030200, 0x10de},
                            {"pci0000:80/0000:80:03.0/0000:81:00.0", 0x030200, 0x10de}});
  EXPECT_EQ(card_identity(functions[1]), "10de:1234@0000:80/03.0/00.0");
  EXPECT_NE(card_identity(functions[0]), card_identity(functions[1]));
}

TEST(CardIdentity, says_the_address_where_the_way_is_not_known) {
  auto functions = host_of({{"0000:01:00.0", 0x030200, 0x10de}});
  functions[0].subsystem_vendor = std::uint16_t{0x10de};
  functions[0].subsystem_device = std::uint16_t{0x1212};
  EXPECT_EQ(card_identity(functions[0]), "10de:1234-10de:1212@0000:01:00.0");
  functions[0].device = {};
  functions[0].subsystem_device = {};
  EXPECT_EQ(card_identity(functions[0]), "10de:?@0000:01:00.0");
}

}  // namespace
}  // namespace tessera::probe
