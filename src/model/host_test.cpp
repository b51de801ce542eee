// SPDX-License-Identifier: Apache-2.0
#include "model/host.h"

#include <gtest/gtest.h>

namespace tessera::model {
namespace {

PciAddress at(const char* text) {
  return *parse_pci_address(text);
}

PciFunction function_of(const char* address, std::uint16_t vendor, std::uint16_t device,
                        std::uint32_t class_code) {
  PciFunction function;
  function.address = at(address);
  function.vendor = vendor;
  function.device = device;
  function.class_code = class_code;
  return function;
}

HostSnapshot two_cards() {
  HostSnapshot host;
  host.functions = {function_of("0000:00:1f.2", 0x8086, 0x2922, 0x010601),
                    function_of("0000:01:00.0", 0x10de, 0x1db4, 0x030200),
                    function_of("0000:01:00.1", 0x10de, 0x10f0, 0x040300),
                    function_of("0001:04:00.0", 0x10de, 0x2bb5, 0x030200),
                    function_of("0001:04:00.2", 0x10de, 0x2bb5, 0x030200)};
  host.functions[4].physical_function = at("0001:04:00.0");
  Card first;
  first.identity = "10de:1db4-10de:1212@0000/03.0/00.0";
  first.address = at("0000:01:00.0");
  first.name = "Tesla V100";
  first.functions = {at("0000:01:00.0"), at("0000:01:00.1")};
  Card second;
  second.identity = "10de:2bb5@0001/01.0/00.0";
  second.address = at("0001:04:00.0");
  second.name = "RTX PRO 6000";
  second.functions = {at("0001:04:00.0")};
  host.cards = {first, second};
  return host;
}

TEST(SelectCard, takes_every_way_a_person_may_name_it) {
  HostSnapshot host = two_cards();
  for (const char* selector : {"0000:01:00.0", "01:00.0", "01:00.1", "00000000:01:00.1", "01:00",
                               "0000:01:00", " 01:00.0", "10de:1db4-10de:1212@0000/03.0/00.0"}) {
    auto card = select_card(host, selector);
    ASSERT_TRUE(card) << selector << ": " << one_line(card.error());
    EXPECT_EQ(*card, &host.cards[0]) << selector;
  }
  auto other = select_card(host, "00000001:04:00.0");
  ASSERT_TRUE(other);
  EXPECT_EQ(*other, &host.cards[1]);
}

TEST(SelectCard, tells_what_a_device_is_that_is_no_gpu_and_which_cards_there_are) {
  auto card = select_card(two_cards(), "00:1f.2");
  ASSERT_FALSE(card);
  EXPECT_EQ(card.error().kind, ErrorKind::conflict);
  EXPECT_EQ(one_line(card.error()), "0000:00:1f.2: it is a SATA controller (8086:2922), not a GPU");
  EXPECT_EQ(card.error().hint,
            "the cards here: 0000:01:00.0 (Tesla V100), 0001:04:00.0 (RTX PRO 6000)");
}

TEST(SelectCard, leads_from_a_virtual_function_to_its_card) {
  auto card = select_card(two_cards(), "0001:04:00.2");
  ASSERT_FALSE(card);
  EXPECT_EQ(card.error().kind, ErrorKind::conflict);
  EXPECT_NE(card.error().hint.find("0001:04:00.0"), std::string::npos);
}

TEST(SelectCard, says_not_found_for_an_empty_place_and_invalid_for_nonsense) {
  for (const char* selector : {"0000:77:00.0", "77:00", "10de:9999@0000/03.0/00.0"}) {
    auto card = select_card(two_cards(), selector);
    ASSERT_FALSE(card) << selector;
    EXPECT_EQ(card.error().kind, ErrorKind::not_found) << selector;
    EXPECT_NE(card.error().hint.find("tessera list"), std::string::npos) << selector;
  }
  for (const char* selector : {"", "the big one", "01", "0000:01:20.0", "\x1b[31m"}) {
    auto card = select_card(two_cards(), selector);
    ASSERT_FALSE(card) << selector;
    EXPECT_EQ(card.error().kind, ErrorKind::invalid) << selector;
    EXPECT_NE(card.error().hint.find("tessera list"), std::string::npos) << selector;
  }
}

TEST(SelectCard, works_on_a_host_without_cards) {
  HostSnapshot host;
  host.functions = {function_of("0000:00:1f.2", 0x8086, 0x2922, 0x010601)};
  auto card = select_card(host, "00:1f.2");
  ASSERT_FALSE(card);
  EXPECT_NE(card.error().hint.find("no cards"), std::string::npos);
}

TEST(HostSnapshot, finds_its_parts_by_address_and_number) {
  HostSnapshot host = two_cards();
  host.groups = {IommuGroup{7, {at("0000:01:00.0")}, {}, {}}};
  ASSERT_NE(host.function(at("0000:01:00.1")), nullptr);
  EXPECT_EQ(host.function(at("0000:01:00.1"))->device.value(), 0x10f0);
  EXPECT_EQ(host.function(at("0000:01:00.2")), nullptr);
  ASSERT_NE(host.group(7), nullptr);
  EXPECT_EQ(host.group(8), nullptr);
  EXPECT_EQ(host.card_of(at("0000:01:00.1")), &host.cards[0]);
  EXPECT_EQ(host.card_of(at("0000:00:1f.2")), nullptr);
}

TEST(FunctionName, uses_names_then_ids_then_the_class) {
  PciFunction function = function_of("0000:01:00.0", 0x10de, 0x1db4, 0x030200);
  EXPECT_EQ(function_name(function), "10de:1db4");
  function.vendor_name = "NVIDIA Corporation";
  EXPECT_EQ(function_name(function), "NVIDIA Corporation 10de:1db4");
  function.device_name = "GV100GL";
  EXPECT_EQ(function_name(function), "NVIDIA Corporation GV100GL");
  function.device = {};
  EXPECT_EQ(function_name(function), "NVIDIA Corporation (device id not known)");
  function.vendor = {};
  EXPECT_EQ(function_name(function), "unknown 3D controller");
}

}  // namespace
}  // namespace tessera::model
