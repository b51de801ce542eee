// SPDX-License-Identifier: Apache-2.0
#include "app/printers/list.h"

#include <tuple>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/printers/show.h"
#include "app/printers/table.h"

namespace tessera::app {
namespace {

using model::HostSnapshot;
using model::PciAddress;

PciAddress at(const char* text) {
  return *model::parse_pci_address(text);
}

HostSnapshot card_with(const char* display_driver, const char* audio_driver) {
  HostSnapshot host;
  host.source = "here";
  host.live = true;
  host.complete = true;
  for (auto [address, driver, code] : {std::tuple{"0000:01:00.0", display_driver, 0x030000U},
                                       std::tuple{"0000:01:00.1", audio_driver, 0x040300U}}) {
    model::PciFunction function;
    function.address = at(address);
    function.driver = driver;
    function.class_code = code;
    function.iommu_group = 7;
    host.functions.push_back(function);
  }
  model::Card card;
  card.address = at("0000:01:00.0");
  card.functions = {at("0000:01:00.0"), at("0000:01:00.1")};
  card.groups = {7};
  card.name = "a card";
  host.cards = {card};
  return host;
}

std::string state_of(const HostSnapshot& host) {
  return card_state(host, host.cards[0]).words;
}

TEST(CardState, is_told_by_the_drivers_of_all_functions) {
  EXPECT_EQ(state_of(card_with("nouveau", "snd_hda_intel")), "host (nouveau)");
  EXPECT_EQ(state_of(card_with("vfio-pci", "vfio-pci")), "vm-ready (vfio-pci)");
  EXPECT_EQ(state_of(card_with("vfio-pci", "")), "vm-ready (vfio-pci)");
  EXPECT_EQ(state_of(card_with("", "vfio-pci")), "split: 00.1 vfio-pci, display unbound");
  EXPECT_EQ(state_of(card_with("", "")), "unbound");
  EXPECT_EQ(state_of(card_with("vfio-pci", "snd_hda_intel")),
            "split: 00.0 vfio-pci, 00.1 snd_hda_intel");
  EXPECT_EQ(state_of(card_with("", "snd_hda_intel")), "host, display unbound (00.1 snd_hda_intel)");
}

TEST(CardState, is_not_known_where_a_recording_left_the_drivers_out) {
  HostSnapshot host = card_with("", "");
  host.live = false;
  host.complete = false;
  EXPECT_EQ(state_of(host), "not known");
  for (auto& function : host.functions) function.driver_override = std::string{};
  EXPECT_EQ(state_of(host), "unbound");
}

TEST(ListText, says_why_there_are_no_cards) {
  HostSnapshot host;
  host.source = "here";
  EXPECT_EQ(list_text(host, {}), "No cards: here shows no PCI devices.\n");
  host.functions.resize(2);
  EXPECT_NE(list_text(host, {}).find("The class of 2 of them is not known"), std::string::npos);
}

TEST(ListText, has_colors_only_where_the_style_has_them) {
  HostSnapshot host = card_with("nouveau", "snd_hda_intel");
  EXPECT_EQ(list_text(host, {}).find('\x1b'), std::string::npos);
  ReportStyle style;
  style.color = ReportStyle::Color::ansi;
  EXPECT_NE(list_text(host, style).find('\x1b'), std::string::npos);
}

TEST(ShowText, marks_what_shares_the_group_without_being_of_the_card) {
  HostSnapshot host = card_with("nouveau", "snd_hda_intel");
  model::PciFunction port;
  port.address = at("0000:00:01.0");
  port.class_code = 0x060400U;
  model::PciFunction nic;
  nic.address = at("0000:02:00.0");
  nic.class_code = 0x020000U;
  nic.driver = "e1000e";
  host.functions.push_back(port);
  host.functions.push_back(nic);
  host.groups = {{7, {port.address, at("0000:01:00.0"), at("0000:01:00.1"), nic.address}, {}, {}}};
  std::string text = show_text(host, host.cards[0], {});
  EXPECT_NE(text.find("0000:02:00.0  FOREIGN: Ethernet controller"), std::string::npos) << text;
  EXPECT_NE(text.find("driver e1000e"), std::string::npos);
  EXPECT_EQ(text.find("0000:00:01.0  FOREIGN"), std::string::npos);
  EXPECT_NE(text.find("0000:01:00.1  this card"), std::string::npos);
}

TEST(OnlyCard, keeps_its_group_and_drops_other_cards) {
  HostSnapshot host = card_with("nouveau", "snd_hda_intel");
  model::PciFunction other;
  other.address = at("0000:09:00.0");
  host.functions.push_back(other);
  host.holders = {{1, "Xorg", "", at("0000:01:00.0"), {"/dev/dri/card0"}},
                  {2, "ffmpeg", "", other.address, {"/dev/dri/card1"}}};
  host.groups = {{7, {at("0000:01:00.0"), at("0000:01:00.1")}, {}, {}},
                 {8, {other.address}, {}, {}}};
  HostSnapshot one = only_card(host, host.cards[0]);
  EXPECT_EQ(one.functions.size(), 2U);
  EXPECT_EQ(one.groups.size(), 1U);
  ASSERT_EQ(one.holders.size(), 1U);
  EXPECT_EQ(one.holders[0].pid, 1);
}

TEST(ShortName, cuts_what_the_vendors_lawyers_added) {
  model::PciFunction function;
  function.vendor = std::uint16_t{0x1002};
  function.device = std::uint16_t{0x731f};
  function.vendor_name = "Advanced Micro Devices, Inc. [AMD/ATI]";
  function.device_name = "Navi 10";
  EXPECT_EQ(short_name(function), "AMD/ATI Navi 10");
  function.vendor_name = "NVIDIA Corporation";
  EXPECT_EQ(short_name(function), "NVIDIA Navi 10");
}

TEST(Table, aligns_columns_and_leaves_no_trailing_blanks) {
  EXPECT_EQ(table_text({{"A", "LONG", "C"}, {"aaa", "b", ""}, {"", "", "c"}}, {}),
            "A    LONG  C\naaa  b\n           c\n");
}

}  // namespace
}  // namespace tessera::app
