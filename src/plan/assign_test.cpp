// SPDX-License-Identifier: Apache-2.0
#include "plan/assign.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace tessera::plan {
namespace {

using model::AssignIntent;
using model::HostSnapshot;
using model::PciAddress;
using model::PciFunction;

PciAddress at(std::string_view text) {
  return model::parse_pci_address(text).value();
}

PciFunction function(std::string_view address, std::uint32_t class_code, std::string driver,
                     int group) {
  PciFunction f;
  f.address = at(address);
  f.class_code = class_code;
  f.driver = std::move(driver);
  f.driver_override = std::string();
  f.iommu_group = group;
  f.vfio_module = "vfio_pci";
  return f;
}

/// Two identical cards, each with its audio function, in groups of their own behind root ports.
HostSnapshot twin_cards() {
  HostSnapshot host;
  host.kernel.vfio_pci_available = true;
  host.kernel.vfio_pci_loaded = false;
  host.functions = {
      function("00:01.0", 0x060400, "pcieport", 1),
      function("00:02.0", 0x060400, "pcieport", 2),
      function("01:00.0", 0x030000, "nouveau", 1),
      function("01:00.1", 0x040300, "snd_hda_intel", 1),
      function("02:00.0", 0x030000, "nouveau", 2),
      function("02:00.1", 0x040300, "snd_hda_intel", 2),
  };
  for (int number : {1, 2}) {
    model::IommuGroup group;
    group.number = number;
    for (const auto& f : host.functions) {
      if (f.iommu_group.value() == number) group.members.push_back(f.address);
    }
    host.groups.push_back(group);
    model::Card card;
    card.address = at(number == 1 ? "01:00.0" : "02:00.0");
    card.identity = number == 1 ? "one" : "two";
    card.functions = {card.address, at(number == 1 ? "01:00.1" : "02:00.1")};
    card.groups = {number};
    host.cards.push_back(card);
  }
  return host;
}

AssignIntent to_vm(std::string_view address) {
  AssignIntent intent;
  intent.card = at(address);
  return intent;
}

std::vector<std::string> kinds_and_subjects(const model::Plan& plan) {
  std::vector<std::string> all;
  for (const auto& op : plan.operations) all.push_back(op.kind + " " + op.subject);
  return all;
}

TEST(plan_assign, takes_both_functions_of_one_twin_and_nothing_of_the_other) {
  auto plan = plan_assign(twin_cards(), to_vm("01:00.0"));
  ASSERT_TRUE(plan) << plan.error().sentence;
  EXPECT_EQ(kinds_and_subjects(*plan),
            (std::vector<std::string>{"module.load vfio_pci", "vfio.assign 0000:01:00.0",
                                      "vfio.assign 0000:01:00.1"}));
}

TEST(plan_assign, leaves_the_bridge_of_the_group_alone_and_says_so) {
  auto plan = plan_assign(twin_cards(), to_vm("01:00.0"));
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->notes.size(), 1U);
  EXPECT_NE(plan->notes[0].find("0000:00:01.0 shares group 1"), std::string::npos);
}

TEST(plan_assign, refuses_a_foreign_device_in_the_group_by_its_name_even_with_force) {
  auto host = twin_cards();
  auto nic = function("03:00.0", 0x020000, "e1000e", 1);
  nic.vendor = std::uint16_t{0x8086};
  nic.device = std::uint16_t{0x10d3};
  nic.vendor_name = "Intel Corporation";
  nic.device_name = "82574L";
  host.functions.push_back(nic);
  host.groups[0].members.push_back(nic.address);
  auto intent = to_vm("01:00.0");
  intent.force = true;
  auto plan = plan_assign(host, intent);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::conflict);
  EXPECT_NE(plan.error().sentence.find("0000:03:00.0"), std::string::npos);
  EXPECT_NE(plan.error().sentence.find("82574L"), std::string::npos);
}

TEST(plan_assign, refuses_a_host_without_groups) {
  auto host = twin_cards();
  host.groups.clear();
  for (auto& f : host.functions) f.iommu_group = {};
  for (auto& card : host.cards) card.groups.clear();
  auto plan = plan_assign(host, to_vm("01:00.0"));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::unsupported);
}

TEST(plan_assign, refuses_a_held_card_with_the_holders_name) {
  auto host = twin_cards();
  host.holders.push_back({812, "Xorg", "gdm.service", at("01:00.0"), {"/dev/dri/card0"}});
  auto plan = plan_assign(host, to_vm("01:00.0"));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::busy);
  EXPECT_NE(plan.error().sentence.find("Xorg (pid 812, unit gdm.service)"), std::string::npos);
}

TEST(plan_assign, stops_each_holder_once_when_asked_to) {
  auto host = twin_cards();
  host.holders.push_back({812, "Xorg", "gdm.service", at("01:00.0"), {"/dev/dri/card0"}});
  host.holders.push_back({812, "Xorg", "gdm.service", at("01:00.1"), {"/dev/snd/controlC0"}});
  auto intent = to_vm("01:00.0");
  intent.holders = model::HolderPolicy::stop;
  auto plan = plan_assign(host, intent);
  ASSERT_TRUE(plan) << plan.error().sentence;
  EXPECT_EQ(plan->operations[0].kind, "holder.stop");
  EXPECT_EQ(plan->operations[1].kind, "module.load");
}

TEST(plan_assign, does_not_mind_a_holder_of_the_twin) {
  auto host = twin_cards();
  host.holders.push_back({812, "Xorg", "", at("02:00.0"), {"/dev/dri/card1"}});
  EXPECT_TRUE(plan_assign(host, to_vm("01:00.0")));
}

TEST(plan_assign, asks_for_force_before_the_boot_display_goes_dark) {
  auto host = twin_cards();
  host.functions[2].boot_vga = true;
  auto intent = to_vm("01:00.0");
  EXPECT_EQ(plan_assign(host, intent).error().kind, ErrorKind::conflict);
  intent.force = true;
  EXPECT_TRUE(plan_assign(host, intent));
}

TEST(plan_assign, detaches_the_boot_framebuffer_before_it_binds) {
  auto host = twin_cards();
  host.framebuffers.push_back(
      {"simple-framebuffer.0", "simple-framebuffer", 0, 0, "BOOTFB", at("01:00.0")});
  auto intent = to_vm("01:00.0");
  intent.force = true;
  auto plan = plan_assign(host, intent);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->operations[0].kind, "framebuffer.detach");
}

TEST(plan_assign, refuses_a_card_that_is_cut_into_slices) {
  auto host = twin_cards();
  host.functions[2].vf_enabled = 4;
  auto plan = plan_assign(host, to_vm("01:00.0"));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::busy);
}

TEST(plan_assign, has_nothing_to_do_for_a_card_that_is_there_already) {
  auto host = twin_cards();
  for (std::size_t i : {2U, 3U}) {
    host.functions[i].driver = "vfio-pci";
    host.functions[i].driver_override = std::string("vfio-pci");
  }
  auto plan = plan_assign(host, to_vm("01:00.0"));
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->operations.empty());
  EXPECT_FALSE(plan->notes.empty());
}

TEST(plan_assign, refuses_a_kernel_without_a_vfio_driver) {
  auto host = twin_cards();
  host.kernel.vfio_pci_available = false;
  for (auto& f : host.functions) f.vfio_module.clear();
  auto plan = plan_assign(host, to_vm("01:00.0"));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::unsupported);
}

TEST(plan_assign, back_to_host_names_the_driver_the_journal_remembers) {
  auto host = twin_cards();
  for (std::size_t i : {2U, 3U}) {
    host.functions[i].driver = "vfio-pci";
    host.functions[i].driver_override = std::string("vfio-pci");
  }
  auto intent = to_vm("01:00.0");
  intent.to = model::Owner::host;
  intent.drivers_before[at("01:00.0")] = "nouveau";
  auto plan = plan_assign(host, intent);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->operations.size(), 2U);
  EXPECT_EQ(plan->operations[0].after.back().value, "nouveau");
  EXPECT_EQ(plan->operations[1].after.back().what, model::Expectation::What::link_name_is_not);
}

TEST(plan_assign, back_to_host_refuses_while_a_machine_runs_on_it) {
  auto host = twin_cards();
  host.functions[2].driver = "vfio-pci";
  host.holders.push_back({99, "qemu-system-x86", "", at("01:00.0"), {"/dev/vfio/1"}});
  auto intent = to_vm("01:00.0");
  intent.to = model::Owner::host;
  auto plan = plan_assign(host, intent);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::busy);
}

}  // namespace
}  // namespace tessera::plan
