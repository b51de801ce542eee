// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plan/checks/test_case.h"

namespace tessera::plan {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class CardCheckFires : public testing::TestWithParam<Case> {};

TEST_P(CardCheckFires, on_its_host_and_only_it) {
  expect_one_finding(GetParam());
}

model::Bar bar_of(int index, std::uint64_t first, std::uint64_t size) {
  return {
      .index = index, .first = first, .last = first + size - 1, .prefetchable = true, .wide = true};
}

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

model::Capabilities root_port_without_acs() {
  model::Capabilities capabilities;
  capabilities.type = model::ExpressType::root_port;
  return capabilities;
}

const Case cases[] = {
    {"silent", "card-off-bus", Severity::error, "0000:01:00.0/config: every byte reads ff",
     "echo 1 | sudo tee /sys/bus/pci/devices/0000:01:00.0/remove && echo 1 | sudo tee "
     "/sys/bus/pci/rescan",
     [](HostSnapshot& host) {
       model::Capabilities silent;
       silent.silent = true;
       edit(host, gpu).capabilities = silent;
     }},
    {"narrow", "link-narrow", Severity::warning, "current_link_width: 4", "",
     [](HostSnapshot& host) {
       edit(host, gpu).link = {.width = 4, .max_width = 16};
       edit(host, root_port).link = {.width = 4, .max_width = 8};
     }},
    {"no_room", "bar-unassigned", Severity::error, "BAR 1 of 17179869184 bytes begins at 0", "",
     [](HostSnapshot& host) {
       edit(host, gpu).bars = std::vector<model::Bar>{bar_of(1, 0, 16 * gib)};
     }},
    {"no_room_by_the_log", "bar-unassigned", Severity::error, "no space for", "",
     [](HostSnapshot& host) {
       host.kernel_log = {
           "pci 0000:01:00.0: BAR 1: no space for [mem size 0x400000000 64bit pref]"};
     }},
    {"cannot_reserve", "bar-held", Severity::warning, "can't reserve",
     "sudo tessera assign 0000:01:00.0 --to vm --force",
     [](HostSnapshot& host) {
       host.kernel_log = {
           "vfio-pci 0000:01:00.0: BAR 0: can't reserve [mem 0xe0000000-0xefffffff]"};
     }},
    {"rebar", "rebar-small", Severity::note, "resizable BAR 0: size 256 MiB, largest 16 GiB",
     "cat /sys/bus/pci/devices/0000:01:00.0/resource0_resize",
     [](HostSnapshot& host) {
       model::Capabilities capabilities;
       capabilities.resizable_bars = {{.index = 0, .size_mib = 256, .possible_mib = {256, 16384}}};
       capabilities.sr_iov = model::SrIov{};
       edit(host, gpu).capabilities = capabilities;
     }},
    {"big", "big-bars", Severity::note, "0000:01:00.0/resource: BAR 1: 64 GiB", "",
     [](HostSnapshot& host) {
       edit(host, gpu).bars = std::vector<model::Bar>{bar_of(1, 0x200000000000, 64 * gib)};
     }},
    {"unknown_node", "numa-unknown", Severity::warning, "numa_node: -1", "",
     [](HostSnapshot& host) {
       host.nodes = {model::MemoryNode{}, model::MemoryNode{}};
       edit(host, gpu).numa_node = -1;
     }},
    {"override_lies", "acs-override-lies", Severity::warning,
     "0000:00:01.0/config: no ACS capability", "",
     [](HostSnapshot& host) {
       host.kernel.command_line = std::string("quiet pcie_acs_override=downstream");
       edit(host, root_port).capabilities = root_port_without_acs();
     }},
    {"keeps_it", "driver-does-not-let-go", Severity::warning, "non-zero usage count",
     "sudo tessera assign 0000:01:00.0 --to vm --stop-holders",
     [](HostSnapshot& host) {
       host.kernel_log = {
           "NVRM: Attempting to remove device 0000:01:00.0 with non-zero usage count!"};
     }},
    {"vfs_off", "sriov-off", Severity::note, "sriov_totalvfs: 31",
     "echo 31 | sudo tee /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs",
     [](HostSnapshot& host) { edit(host, gpu).vf_total = 31; }},
    {"vendors_way", "vgpu-vendor-interface", Severity::note, "0000:01:00.0/nvidia: is there",
     "cat /sys/bus/pci/devices/0000:01:00.0/nvidia/creatable_vgpu_types",
     [](HostSnapshot& host) { edit(host, gpu).vendor_vgpu = true; }},
    {"gvt", "gvt-not-ready", Severity::note, "/sys/module/i915/parameters/enable_gvt: N",
     "echo 'options i915 enable_gvt=1' | sudo tee /etc/modprobe.d/gvt.conf && echo kvmgt | sudo "
     "tee "
     "/etc/modules-load.d/gvt.conf",
     [](HostSnapshot& host) {
       edit(host, gpu).vendor = std::uint16_t{0x8086};
       edit(host, gpu).driver = "i915";
       host.cards[0].integrated = true;
       host.kernel.parameters = {{"i915.enable_gvt", "N"}};
     }},
    {"whole_only", "no-slices", Severity::note, "config: no SR-IOV capability", "",
     [](HostSnapshot& host) { edit(host, gpu).capabilities = model::Capabilities{}; }},
};

INSTANTIATE_TEST_SUITE_P(card, CardCheckFires, testing::ValuesIn(cases),
                         [](const auto& one) { return one.param.name; });

TEST(card_checks, a_slot_with_fewer_lanes_is_no_fault) {
  HostSnapshot host = good_host();
  edit(host, gpu).link = {.width = 8, .max_width = 16};
  edit(host, root_port).link = {.width = 8, .max_width = 8};
  EXPECT_TRUE(findings_with(host, "link-narrow").empty());
}

TEST(card_checks, an_override_that_the_kernel_does_not_know_lies_to_nobody) {
  HostSnapshot host = good_host();
  host.kernel.command_line = std::string("pcie_acs_override=downstream");
  host.kernel_log = {
      "Unknown kernel command line parameters \"pcie_acs_override=downstream\", will "
      "be passed to user space."};
  edit(host, root_port).capabilities = root_port_without_acs();
  EXPECT_TRUE(findings_with(host, "acs-override-lies").empty());
}

TEST(card_checks, a_shadowed_rom_matters_on_the_boot_display_only) {
  HostSnapshot host = good_host();
  edit(host, gpu).bars =
      std::vector<model::Bar>{{.index = model::rom_bar, .first = 0xc0000, .last = 0xdffff}};
  EXPECT_TRUE(findings_with(host, "rom-shadowed").empty());
  edit(host, gpu).boot_vga = true;
  EXPECT_EQ(findings_with(host, "rom-shadowed").size(), 1U);
}

TEST(card_checks, sound_on_another_bus_is_named) {
  HostSnapshot host = good_host();
  auto far = function_at(at(5, 0, 0), class_audio, "snd_hda_intel", 4);
  host.functions.push_back(far);
  host.groups.push_back({4, {far.address}, {}, {}});
  host.cards[0].functions.push_back(far.address);
  host.cards[0].groups = {2, 4};
  auto found = findings_with(host, "audio-apart");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "The card's sound is on another bus, at 0000:05:00.0");
}

TEST(card_checks, a_shared_group_shows_the_port_without_acs) {
  HostSnapshot host = good_host();
  move_to_group(host, network, 2);
  edit(host, root_port).capabilities = root_port_without_acs();
  auto found = findings_with(host, "group-shared");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(evidence_text(found[0]).find("0000:00:01.0/config: root port, no ACS capability"),
            std::string::npos);
}

}  // namespace

const std::vector<Case>& test::card_hardware_cases() {
  static const std::vector<Case> all(std::begin(cases), std::end(cases));
  return all;
}

}  // namespace tessera::plan
