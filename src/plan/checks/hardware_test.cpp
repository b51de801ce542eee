// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/units.h"
#include "plan/checks/check_case.h"
#include "plan/checks/test_host.h"
#include "plan/isolation.h"

namespace tessera::plan::test {
namespace {

using model::Bar;
using model::Capabilities;
using model::ExpressType;
using model::Finding;
using model::HostSnapshot;
using model::Reading;
using model::Severity;

Capabilities of_type(ExpressType type, std::optional<model::Acs> acs = {}) {
  Capabilities capabilities;
  capabilities.type = type;
  capabilities.acs = acs;
  return capabilities;
}

constexpr model::Acs acs_on = {0x1d, 0x1d};

/// The GPU on VFIO, as it is between two machines.
void give(HostSnapshot& host) {
  for (const auto& address : {gpu, audio}) {
    edit(host, address).driver = "vfio-pci";
    edit(host, address).driver_override = std::string("vfio-pci");
  }
}

/// A link of `now` lanes between ends that can `card` and `port`.
void set_width(HostSnapshot& host, int now, int card, int port) {
  edit(host, gpu).link = {.speed_gt = 8.0, .max_speed_gt = 8.0, .width = now, .max_width = card};
  edit(host, root_port).link.max_width = port;
  edit(host, root_port).link.max_speed_gt = 8.0;
}

Bar memory(int index, std::uint64_t first, std::uint64_t size, bool wide = true) {
  return {.index = index,
          .first = first,
          .last = first + size - 1,
          .io = false,
          .prefetchable = wide,
          .wide = wide};
}

/// The good host after a change to the GPU's BARs.
HostSnapshot with_bars(std::vector<Bar> bars) {
  HostSnapshot host = good_host();
  edit(host, gpu).bars = std::move(bars);
  return host;
}

void resizable(HostSnapshot& host, std::uint64_t now) {
  Capabilities capabilities = of_type(ExpressType::endpoint);
  capabilities.sr_iov = model::SrIov{};  // not a card without slices
  capabilities.resizable_bars = {{1, now, {256, 512, 8192}}};
  edit(host, gpu).capabilities = capabilities;
}

void nodes(HostSnapshot& host, const std::string& second_cpus, std::uint64_t second_memory) {
  model::MemoryNode first;
  first.cpus = std::string("0-7");
  first.memory_kib = std::uint64_t{1} << 25;
  model::MemoryNode second;
  second.number = 1;
  second.cpus = second_cpus;
  second.memory_kib = second_memory;
  host.nodes = {first, second};
}

void override_acs(HostSnapshot& host) {
  host.kernel.command_line = std::string("ro pcie_acs_override=downstream");
  edit(host, root_port).capabilities = of_type(ExpressType::root_port);
}

/// A second GPU's maker, so that the tables of vendors' own ways are used.
void make_amd(HostSnapshot& host, std::vector<std::string> methods) {
  edit(host, gpu).vendor = std::uint16_t{0x1002};
  edit(host, gpu).driver = "amdgpu";
  edit(host, gpu).usual_driver = "amdgpu";
  edit(host, gpu).reset_methods = std::move(methods);
}

void make_intel(HostSnapshot& host) {
  edit(host, gpu).vendor = std::uint16_t{0x8086};
  edit(host, gpu).driver = "i915";
  edit(host, gpu).usual_driver = "i915";
  host.cards[0].integrated = true;
}

void make_nvidia(HostSnapshot& host) {
  edit(host, gpu).driver = "nvidia";
  edit(host, gpu).usual_driver = "nvidia";
}

/// A virtual function of the GPU with the vendor's vGPU files.
void add_vendor_slice(HostSnapshot& host) {
  make_nvidia(host);
  auto slice = function_at(at(1, 0, 4), class_vga, "nvidia", 4);
  slice.physical_function = gpu;
  slice.vendor_vgpu = true;
  host.functions.push_back(slice);
}

std::vector<Case> presence_cases() {
  return {
      {"errors_in_memory", "card-health", Severity::error, "nvidia-smi: lost data", "",
       [](HostSnapshot& host) {
         Finding cordon;
         cordon.id = "uncorrected-errors";
         cordon.severity = Severity::error;
         cordon.card = gpu;
         cordon.title = "The card lost data in a memory error";
         cordon.evidence = {{"nvidia-smi", "lost data"}};
         cordon.cause = "A cell went bad.";
         cordon.consequence = "It can happen again.";
         cordon.fix = "Reset the card.";
         host.cordons = {cordon};
         cordon.card = at(9, 0, 0);
         host.cordons.push_back(cordon);  // a card that is not looked at
       }},
      {"data_lost_on_the_link", "bus-errors", Severity::error,
       "0000:01:00.0/aer_dev_fatal: DLP 1\n",
       "echo 1 | sudo tee /sys/bus/pci/devices/0000:01:00.0/remove; echo 1 | sudo tee "
       "/sys/bus/pci/rescan",
       [](HostSnapshot& host) {
         edit(host, gpu).bus_errors =
             std::vector<model::BusErrors>{{model::BusErrors::Kind::fatal, "DLP", 1}};
       }},
      {"page_out_of_use", "memory-failure", Severity::warning,
       "/proc/meminfo: HardwareCorrupted: 4 kB\n", "",
       [](HostSnapshot& host) { host.failed_memory_kib = std::uint64_t{4}; }},
      {"silent_card", "card-off-bus", Severity::error,
       "0000:01:00.0/config: its first 16 bytes are all ff\n",
       "echo 1 | sudo tee /sys/bus/pci/devices/0000:01:00.0/remove; echo 1 | sudo tee "
       "/sys/bus/pci/rescan",
       [](HostSnapshot& host) {
         Capabilities silent;
         silent.silent = true;
         edit(host, gpu).capabilities = silent;
         edit(host, gpu).power_state = std::string("D0");
       }},
      {"configuration_not_answered", "card-off-bus", Severity::warning,
       "0000:01:00.0/config: was not answered within 2 s\n", "tessera doctor 0000:01:00.0",
       [](HostSnapshot& host) {
         edit(host, gpu).capabilities = Reading<Capabilities>::unreadable("timeout");
       }},
      {"given_card_asleep", "card-asleep", Severity::note, "0000:01:00.0/power_state: D3hot\n", "",
       [](HostSnapshot& host) {
         give(host);
         edit(host, gpu).power_state = std::string("D3hot");
         host.kernel.parameters["vfio_pci.disable_idle_d3"] = "N";
       }},
      {"narrow_link", "link-narrow", Severity::warning, "0000:01:00.0/current_link_width: 4\n", "",
       [](HostSnapshot& host) { set_width(host, 4, 16, 8); }},
      {"narrow_link_above_a_switch", "link-narrow", Severity::warning,
       "0000:03:00.0/current_link_width: 1\n", "",
       [](HostSnapshot& host) {
         auto upstream = function_at(at(3, 0, 0), class_pci_bridge, "pcieport", 4);
         upstream.parent = root_port;
         upstream.capabilities = of_type(ExpressType::upstream_port);
         upstream.link.width = 1;
         upstream.link.max_width = 16;
         auto downstream = function_at(at(4, 0, 0), class_pci_bridge, "pcieport", 4);
         downstream.parent = upstream.address;
         downstream.capabilities = of_type(ExpressType::downstream_port, acs_on);
         downstream.link.width = 1;  // its own link is the one below it
         downstream.link.max_width = 16;
         edit(host, root_port).capabilities = of_type(ExpressType::root_port, acs_on);
         edit(host, root_port).link.max_width = 16;
         edit(host, gpu).parent = downstream.address;
         host.functions.push_back(upstream);
         host.functions.push_back(downstream);
       }},
      {"slow_link_without_driver", "link-slow", Severity::note,
       "0000:01:00.0/current_link_speed: 2.5 GT/s\n",
       "cat /sys/bus/pci/devices/0000:01:00.0/current_link_speed",
       [](HostSnapshot& host) {
         give(host);
         set_width(host, 16, 16, 16);
         edit(host, gpu).link.speed_gt = 2.5;
       }},
  };
}

std::vector<Case> bar_cases() {
  return {
      {"bar_without_address", "bar-unassigned", Severity::error,
       "0000:01:00.0/resource: line 2: 0x0000000000000000 0x00000003ffffffff, a size", "",
       [](HostSnapshot& host) { host = with_bars({memory(1, 0, 16 * gib)}); }},
      {"bar_without_room_in_the_log", "bar-unassigned", Severity::error,
       "BAR 1: no space for [mem size 0x400000000 64bit pref]\n", "",
       [](HostSnapshot& host) {
         host.kernel_log = {
             "pci 0000:01:00.0: BAR 1: no space for [mem size 0x400000000 64bit pref]"};
       }},
      {"bar_without_room_in_a_newer_log", "bar-unassigned", Severity::error,
       "BAR 1 [mem size 0x400000000 64bit pref]: can't assign; no space\n", "",
       [](HostSnapshot& host) {
         host.kernel_log = {
             "pci 0000:01:00.0: BAR 1 [mem size 0x400000000 64bit pref]: can't assign; no space"};
       }},
      {"memory_claimed_by_others", "bar-cant-reserve", Severity::warning, "BAR 0: can't reserve",
       "sudo grep -A3 0000:01:00.0 /proc/iomem",
       [](HostSnapshot& host) {
         host.kernel_log = {
             "vfio-pci 0000:01:00.0: BAR 0: can't reserve [mem 0xe0000000-0xefffffff 64bit pref]"};
       }},
      {"no_room_for_virtual_functions",
       "vf-bar-unassigned",
       Severity::warning,
       "VF BAR 0 [mem size 0x1000000]: can't assign; no space\n",
       "",
       [](HostSnapshot& host) {
         edit(host, gpu).vf_total = 7;
         edit(host, gpu).driver = "vfio-pci";
         edit(host, audio).driver = "vfio-pci";
         host.kernel_log = {
             "pci 0000:01:00.0: VF BAR 0 [mem size 0x1000000]: can't assign; no space"};
       },
       {"sriov-off"}},
      {"small_resizable_bar", "rebar-small", Severity::note,
       "0000:01:00.0/config: resizable BAR 1: 256 MiB now, at most 8 GiB\n",
       "echo 13 | sudo tee /sys/bus/pci/devices/0000:01:00.0/resource1_resize",
       [](HostSnapshot& host) { resizable(host, 256); }},
      {"bars_larger_than_the_usual_window", "big-bars", Severity::note,
       "0000:01:00.0/resource: line 2: 32 GiB, 64-bit\n", "",
       [](HostSnapshot& host) {
         host = with_bars({memory(1, 64 * gib, 32 * gib), memory(3, 96 * gib, 32 << 20)});
       }},
  };
}

std::vector<Case> surroundings_cases() {
  return {
      {"believed_port", "acs-override-lies", Severity::warning, "0000:00:01.0/config: no ACS\n", "",
       override_acs},
      {"pci_bus", "card-on-conventional-bus", Severity::note,
       "0000:00:01.0/config: a PCI Express to PCI bridge, which has no ACS\n", "",
       [](HostSnapshot& host) {
         edit(host, root_port).capabilities = of_type(ExpressType::pcie_to_pci_bridge);
       }},
      {"node_not_said", "numa-unknown", Severity::warning, "0000:01:00.0/numa_node: -1\n", "",
       [](HostSnapshot& host) {
         nodes(host, "8-15", 1024);
         edit(host, gpu).numa_node = -1;
       }},
      {"node_without_memory", "numa-without-memory", Severity::warning,
       "node1/meminfo: MemTotal: 0 kB\n", "",
       [](HostSnapshot& host) {
         nodes(host, "8-15", 0);
         edit(host, gpu).numa_node = 1;
       }},
      {"node_without_processors", "numa-without-memory", Severity::warning,
       "node1/cpulist: is empty\n", "",
       [](HostSnapshot& host) {
         nodes(host, "", 1024);
         edit(host, gpu).numa_node = 1;
       }},
      {"sound_in_another_group", "audio-split", Severity::note, "0000:01:00.1/iommu_group: -> 4\n",
       "",
       [](HostSnapshot& host) {
         host.groups.push_back({4, {}, {}, {}});
         move_to_group(host, audio, 4);
         host.cards[0].groups = {2, 4};
       }},
  };
}

std::vector<Case> owner_cases() {
  return {
      {"reset_gave_up", "reset-failed", Severity::warning,
       "not ready 65535ms after FLR; giving up\n", "",
       [](HostSnapshot& host) {
         host.kernel_log = {"vfio-pci 0000:01:00.0: not ready 65535ms after FLR; giving up"};
       }},
      {"vendor_reset_not_asked", "vendor-reset-needed", Severity::warning,
       "/proc/modules: vendor_reset\n",
       "echo device_specific | sudo tee /sys/bus/pci/devices/0000:01:00.0/reset_method",
       [](HostSnapshot& host) {
         make_amd(host, {"pm", "bus"});
         host.kernel.modules = std::vector<std::string>{"vendor_reset"};
       }},
      {"neighbour_on_the_bus",
       "reset-shared",
       Severity::warning,
       "0000:00:01.0: is above 0000:02:00.0 too\n",
       "",
       [](HostSnapshot& host) {
         edit(host, gpu).reset_methods = {};
         edit(host, network).reset_methods = std::vector<std::string>{"flr"};
         edit(host, network).parent = root_port;
       },
       {"weak-reset"}},
      {"refused_to_let_go", "driver-will-not-let-go", Severity::warning, "non-zero usage count",
       "tessera assign 0000:01:00.0 --to vm --stop-holders",
       [](HostSnapshot& host) {
         make_nvidia(host);
         host.kernel_log = {
             "NVRM: Attempting to remove device 0000:01:00.0 with non-zero usage count!"};
       }},
      {"console_of_nvidia_drm",
       "driver-will-not-let-go",
       Severity::note,
       "/sys/module/nvidia_drm/parameters/fbdev: Y\n",
       "",
       [](HostSnapshot& host) {
         make_nvidia(host);
         edit(host, gpu).boot_vga = true;
         host.kernel.parameters = {{"nvidia_drm.fbdev", "Y"}, {"nvidia_drm.modeset", "Y"}};
       },
       {"boot-framebuffer"}},
      {"plain_driver_in_place_of_the_best", "vfio-driver-not-best", Severity::warning,
       "0000:01:00.0/driver: -> vfio-pci\n",
       "tessera assign 0000:01:00.0 --to host && tessera assign 0000:01:00.0 --to vm",
       [](HostSnapshot& host) {
         give(host);
         edit(host, gpu).vfio_module = "nvgrace_gpu_vfio_pci";
       }},
      {"driver_made_for_the_card", "variant-driver", Severity::note,
       "modules.alias: nvgrace_gpu_vfio_pci names 0000:01:00.0\n",
       "tessera assign 0000:01:00.0 --to vm",
       [](HostSnapshot& host) { edit(host, gpu).vfio_module = "nvgrace_gpu_vfio_pci"; }},
      {"shadowed_rom",
       "rom-needed",
       Severity::note,
       "0000:01:00.0/resource: line 7: at 0xc0000, the copy in low memory\n",
       "",
       [](HostSnapshot& host) {
         host = with_bars({memory(model::rom_bar, 0xc0000, 0x20000, false)});
         edit(host, gpu).boot_vga = true;
       },
       {"boot-framebuffer"}},
      {"no_rom",
       "rom-needed",
       Severity::note,
       "0000:01:00.0/resource: line 7: no ROM\n",
       "",
       [](HostSnapshot& host) {
         host = with_bars({memory(1, 64 * gib, gib)});
         edit(host, gpu).boot_vga = true;
       },
       {"boot-framebuffer"}},
      {"no_legacy_vga", "vfio-vga", Severity::note, "CONFIG_VFIO_PCI_VGA is not set\n", "",
       [](HostSnapshot& host) { host.kernel.config["CONFIG_VFIO_PCI_VGA"] = "n"; }},
  };
}

std::vector<Case> slice_cases() {
  return {
      {"virtual_functions_lost",
       "vf-lost",
       Severity::warning,
       "0000:01:00.0/sriov_numvfs: 2\n",
       "",
       [](HostSnapshot& host) { edit(host, gpu).vf_enabled = 2; },
       {"slices-in-use"}},
      {"vendors_own_vgpu_files", "mdev-vendor-framework", Severity::note,
       "0000:01:00.4/nvidia: is there\n",
       "cat /sys/bus/pci/devices/0000:01:00.4/nvidia/creatable_vgpu_types", add_vendor_slice},
      {"no_vgpu_manager", "mdev-missing", Severity::note, "/proc/modules: no nvidia_vgpu_vfio\n",
       "",
       [](HostSnapshot& host) {
         make_nvidia(host);
         host.kernel.modules = std::vector<std::string>{"nvidia"};
       }},
      {"gvt_g_off", "gvt-conditions", Severity::note, "/sys/module/i915/parameters/enable_gvt: N\n",
       "",
       [](HostSnapshot& host) {
         make_intel(host);
         host.kernel.parameters["i915.enable_gvt"] = "N";
       }},
      {"sr_iov_off", "sriov-off", Severity::note, "0000:01:00.0/sriov_totalvfs: 7\n",
       "echo 7 | sudo tee /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs",
       [](HostSnapshot& host) {
         edit(host, gpu).vendor = std::uint16_t{0x8086};
         edit(host, gpu).vf_total = 7;
       }},
      {"sr_iov_off_on_nvidia", "sriov-off", Severity::note, "0000:01:00.0/sriov_numvfs: 0\n",
       "sudo /usr/lib/nvidia/sriov-manage -e 0000:01:00.0",
       [](HostSnapshot& host) {
         make_nvidia(host);
         edit(host, gpu).vf_total = 16;
       }},
      {"no_slices_at_all", "sriov-unsupported", Severity::note,
       "0000:01:00.0/config: no SR-IOV capability\n", "tessera assign 0000:01:00.0 --to vm",
       [](HostSnapshot& host) {
         make_amd(host, {"flr"});
         edit(host, gpu).capabilities = of_type(ExpressType::endpoint);
       }},
  };
}

}  // namespace

const std::vector<Case>& hardware_cases() {
  static const std::vector<Case> cases = [] {
    std::vector<Case> all;
    for (auto part :
         {presence_cases(), bar_cases(), surroundings_cases(), owner_cases(), slice_cases()}) {
      std::ranges::move(part, std::back_inserter(all));
    }
    return all;
  }();
  return cases;
}

namespace {

TEST(hardware, a_card_in_d3cold_is_asleep_and_not_off_the_bus) {
  HostSnapshot host = good_host();
  Capabilities silent;
  silent.silent = true;
  edit(host, gpu).capabilities = silent;
  edit(host, gpu).power_state = std::string("D3cold");
  EXPECT_TRUE(findings_with(host, "card-off-bus").empty());
}

TEST(hardware, a_card_that_keeps_awake_or_is_the_hosts_is_not_said_to_sleep) {
  HostSnapshot host = good_host();
  edit(host, gpu).power_state = std::string("D3hot");
  host.kernel.parameters["vfio_pci.disable_idle_d3"] = "N";
  EXPECT_TRUE(findings_with(host, "card-asleep").empty()) << "the host's driver has it";
  give(host);
  host.kernel.parameters["vfio_pci.disable_idle_d3"] = "Y";
  EXPECT_TRUE(findings_with(host, "card-asleep").empty());
}

TEST(hardware, a_slot_with_fewer_lanes_than_the_card_is_no_fault) {
  HostSnapshot host = good_host();
  set_width(host, 4, 16, 4);
  EXPECT_TRUE(findings_with(host, "link-narrow").empty());
  set_width(host, 0, 16, 16);
  EXPECT_TRUE(findings_with(host, "link-narrow").empty()) << "0 lanes: no link, as VFs say";
}

TEST(hardware, a_card_that_its_driver_slows_down_at_rest_is_not_slow) {
  HostSnapshot host = good_host();
  set_width(host, 16, 16, 16);
  edit(host, gpu).link.speed_gt = 2.5;
  EXPECT_TRUE(findings_with(host, "link-slow").empty());
}

TEST(hardware, a_bar_that_got_its_address_later_is_fine) {
  HostSnapshot host = good_host();
  host.kernel_log = {
      "pci 0000:01:00.0: BAR 1: no space for [mem size 0x400000000 64bit pref]",
      "pci 0000:01:00.0: BAR 1: assigned [mem 0x4000000000-0x43ffffffff 64bit pref]"};
  EXPECT_TRUE(findings_with(host, "bar-unassigned").empty());
  host.kernel_log.pop_back();
  edit(host, gpu).bars = std::vector<Bar>{memory(1, 256 * gib, 16 * gib)};
  EXPECT_TRUE(findings_with(host, "bar-unassigned").empty()) << "the resource file is newer";
}

TEST(hardware, io_ports_and_roms_without_address_are_not_missed) {
  HostSnapshot host = with_bars({memory(model::rom_bar, 0, 0x80000, false)});
  Bar ports = memory(5, 0, 0x80, false);
  ports.io = true;
  edit(host, gpu).bars = std::vector<Bar>{ports, memory(model::rom_bar, 0, 0x80000, false)};
  host.kernel_log = {"pci 0000:01:00.0: BAR 5: no space for [io  size 0x0080]"};
  EXPECT_TRUE(findings_with(host, "bar-unassigned").empty());
}

TEST(hardware, what_is_wrong_with_another_device_is_not_the_cards) {
  HostSnapshot host = good_host();
  host.kernel_log = {"pci 0000:02:00.0: BAR 1: no space for [mem size 0x400000000 64bit pref]",
                     "vfio-pci 0000:02:00.0: BAR 0: can't reserve [mem 0xe0000000-0xefffffff]",
                     "vfio-pci 0000:02:00.0: not ready 65535ms after FLR; giving up"};
  EXPECT_TRUE(all_findings(host).empty()) << all_findings(host)[0].id;
}

TEST(hardware, a_bar_at_its_largest_is_not_small) {
  HostSnapshot host = good_host();
  resizable(host, 8192);
  EXPECT_TRUE(findings_with(host, "rebar-small").empty());
}

TEST(hardware, the_window_that_a_machine_needs_is_a_power_of_two_that_holds_all_bars) {
  HostSnapshot host = with_bars({memory(1, 64 * gib, 32 * gib), memory(3, 96 * gib, 32 << 20)});
  auto found = findings_with(host, "big-bars");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].fix.find("X-PciMmio64Mb,string=65536"), std::string::npos) << found[0].fix;
  edit(host, gpu).bars = std::vector<Bar>{memory(1, 64 * gib, 16 * gib)};
  EXPECT_TRUE(findings_with(host, "big-bars").empty());
}

TEST(hardware, an_override_that_the_kernel_does_not_know_changes_nothing) {
  HostSnapshot host = good_host();
  override_acs(host);
  host.kernel_log = {
      "Unknown kernel command line parameters \"pcie_acs_override=downstream\", will be passed to "
      "user space."};
  EXPECT_TRUE(findings_with(host, "acs-override-lies").empty());
}

TEST(hardware, an_override_over_ports_with_acs_is_no_lie) {
  HostSnapshot host = good_host();
  override_acs(host);
  edit(host, root_port).capabilities = of_type(ExpressType::root_port, acs_on);
  EXPECT_TRUE(findings_with(host, "acs-override-lies").empty());
}

TEST(hardware, a_shared_group_names_the_port_that_is_to_blame) {
  HostSnapshot host = good_host();
  move_to_group(host, network, 2);
  move_to_group(host, root_port, 2);
  edit(host, network).parent = root_port;
  edit(host, root_port).capabilities = of_type(ExpressType::root_port, model::Acs{0x1d, 0});
  auto found = findings_with(host, "group-shared");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(
      evidence_text(found[0]).find("0000:00:01.0/config: ACS is off (control 0x0000 of 0x001d)\n"),
      std::string::npos)
      << evidence_text(found[0]);
  EXPECT_NE(found[0].cause.find("0000:00:01.0 (ACS is off"), std::string::npos) << found[0].cause;
}

TEST(hardware, functions_of_one_device_without_acs_are_shown_to_have_none) {
  HostSnapshot host = good_host();
  auto sibling = function_at(at(1, 0, 2), class_ethernet, "e1000e", 2);
  host.functions.push_back(sibling);
  move_to_group(host, sibling.address, 2);
  edit(host, gpu).capabilities = of_type(ExpressType::endpoint);
  edit(host, sibling.address).capabilities = of_type(ExpressType::endpoint, acs_on);
  auto found = findings_with(host, "group-shared");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(evidence_text(found[0]).find("0000:01:00.0/config: no ACS\n"), std::string::npos);
  EXPECT_EQ(evidence_text(found[0]).find("0000:01:00.2/config"), std::string::npos);
}

TEST(hardware, acs_bits_that_a_port_cannot_switch_count_as_wired_on) {
  auto port = function_at(root_port, class_pci_bridge, "pcieport", 1);
  port.capabilities = of_type(ExpressType::root_port, model::Acs{0x05, 0x05});
  EXPECT_EQ(why_not_apart(port), std::nullopt);
  port.capabilities = of_type(ExpressType::root_port, model::Acs{0x05, 0x01});
  EXPECT_NE(why_not_apart(port), std::nullopt);
  port.capabilities = Reading<Capabilities>::unreadable("EACCES");
  EXPECT_EQ(why_not_apart(port), std::nullopt) << "nobody knows";
}

TEST(hardware, one_node_needs_no_telling_which) {
  HostSnapshot host = good_host();
  edit(host, gpu).numa_node = -1;
  nodes(host, "", 1024);  // memory of a card, without processors
  EXPECT_TRUE(findings_with(host, "numa-unknown").empty());
  edit(host, gpu).numa_node = 0;
  EXPECT_TRUE(findings_with(host, "numa-without-memory").empty());
}

TEST(hardware, vendor_reset_in_use_or_not_needed_is_left_alone) {
  HostSnapshot host = good_host();
  host.kernel.modules = std::vector<std::string>{"vendor_reset"};
  make_amd(host, {"device_specific", "bus"});
  EXPECT_TRUE(findings_with(host, "vendor-reset-needed").empty());
  make_amd(host, {"flr", "bus"});
  EXPECT_TRUE(findings_with(host, "vendor-reset-needed").empty());
}

TEST(hardware, a_card_alone_on_its_bus_shares_no_reset) {
  HostSnapshot host = good_host();
  edit(host, gpu).reset_methods = {};
  edit(host, network).reset_methods = std::vector<std::string>{"flr"};
  EXPECT_TRUE(findings_with(host, "reset-shared").empty());
  edit(host, network).parent = root_port;
  host.live = false;
  EXPECT_TRUE(findings_with(host, "reset-shared").empty()) << "a recording may lack the file";
}

TEST(hardware, a_refusal_before_the_card_was_given_is_over) {
  HostSnapshot host = good_host();
  give(host);
  host.kernel_log = {"NVRM: Attempting to remove device 0000:01:00.0 with non-zero usage count!"};
  EXPECT_TRUE(findings_with(host, "driver-will-not-let-go").empty());
}

TEST(hardware, the_best_vfio_driver_is_not_complained_about) {
  HostSnapshot host = good_host();
  give(host);
  edit(host, gpu).vfio_module = "vfio_pci";
  EXPECT_TRUE(all_findings(host).empty());
  edit(host, gpu).vfio_module = "nvgrace_gpu_vfio_pci";
  edit(host, gpu).driver = "nvgrace-gpu-vfio-pci";
  EXPECT_TRUE(findings_with(host, "vfio-driver-not-best").empty());
  EXPECT_TRUE(findings_with(host, "variant-driver").empty());
}

TEST(hardware, a_rom_of_its_own_and_a_card_that_did_not_boot_need_no_file) {
  HostSnapshot host = with_bars({memory(model::rom_bar, 0xf7000000, 0x80000, false)});
  edit(host, gpu).boot_vga = true;
  EXPECT_TRUE(findings_with(host, "rom-needed").empty());
  host = with_bars({memory(1, 64 * gib, gib)});
  EXPECT_TRUE(findings_with(host, "rom-needed").empty());
}

TEST(hardware, a_kernel_with_legacy_vga_and_a_card_without_vga_are_fine) {
  HostSnapshot host = good_host();
  host.kernel.config["CONFIG_VFIO_PCI_VGA"] = "y";
  EXPECT_TRUE(findings_with(host, "vfio-vga").empty());
  host.kernel.config["CONFIG_VFIO_PCI_VGA"] = "n";
  edit(host, gpu).class_code = 0x030200;
  EXPECT_TRUE(findings_with(host, "vfio-vga").empty());
}

TEST(hardware, virtual_functions_that_are_all_there_or_not_recorded_are_not_lost) {
  HostSnapshot host = good_host();
  edit(host, gpu).vf_enabled = 1;
  auto slice = function_at(at(1, 0, 4), class_vga, "nvidia", 4);
  slice.physical_function = gpu;
  host.functions.push_back(slice);
  EXPECT_TRUE(findings_with(host, "vf-lost").empty());
  edit(host, gpu).vf_enabled = 2;
  host.live = false;
  EXPECT_TRUE(findings_with(host, "vf-lost").empty());
}

TEST(hardware, a_card_with_mediated_types_misses_nothing) {
  HostSnapshot host = good_host();
  add_vendor_slice(host);
  host.kernel.modules = std::vector<std::string>{"nvidia"};
  EXPECT_TRUE(findings_with(host, "mdev-missing").empty()) << "the vendor's files are there";
  host.functions.back().mdev_types = {"nvidia-746"};
  EXPECT_TRUE(findings_with(host, "mdev-vendor-framework").empty());
  EXPECT_TRUE(findings_with(host, "mdev-missing").empty());
}

TEST(hardware, graphics_that_offer_types_or_are_no_intel_need_no_gvt_g) {
  HostSnapshot host = good_host();
  host.kernel.parameters["i915.enable_gvt"] = "N";
  EXPECT_TRUE(findings_with(host, "gvt-conditions").empty());
  make_intel(host);
  edit(host, gpu).mdev_types = {"i915-GVTg_V5_4"};
  EXPECT_TRUE(findings_with(host, "gvt-conditions").empty());
}

TEST(hardware, what_only_a_driver_that_is_not_there_could_tell_is_left_open) {
  HostSnapshot host = good_host();
  edit(host, gpu).capabilities = of_type(ExpressType::endpoint);
  EXPECT_TRUE(findings_with(host, "sriov-unsupported").empty()) << "a vGPU manager may cut it";
  make_intel(host);
  EXPECT_TRUE(findings_with(host, "sriov-unsupported").empty()) << "GVT-g may";
  edit(host, gpu).vendor = std::uint16_t{0x1002};
  edit(host, gpu).capabilities = Reading<Capabilities>();
  EXPECT_TRUE(findings_with(host, "sriov-unsupported").empty()) << "nobody looked";
}

TEST(hardware, what_only_some_want_to_know_is_said_when_they_ask) {
  HostSnapshot host = good_host();
  edit(host, gpu).vf_total = 7;
  EXPECT_TRUE(diagnose(host).empty());
  EXPECT_TRUE(diagnose(host, nullptr, Purpose::passthrough).empty());
  auto asked = diagnose(host, nullptr, Purpose::slices);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].id, "sriov-off");
}

TEST(hardware, sound_beside_its_picture_is_not_split) {
  EXPECT_TRUE(findings_with(good_host(), "audio-split").empty());
}

}  // namespace
}  // namespace tessera::plan::test
