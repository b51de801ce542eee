// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plan/checks/check_case.h"
#include "plan/checks/test_host.h"
#include "plan/doctor.h"

namespace tessera::plan {
namespace {

using model::Finding;
using model::HostSnapshot;
using model::Reading;
using model::Severity;
using namespace test;  // NOLINT(google-build-using-namespace)

class CheckFires : public testing::TestWithParam<Case> {};

TEST_P(CheckFires, on_its_host_and_only_it) {
  expect_one_finding(GetParam());
}

void lose_all_groups(HostSnapshot& host) {
  host.groups.clear();
  host.cards[0].groups.clear();
  for (auto& function : host.functions) function.iommu_group = {};
  host.kernel.iommu_units.clear();
}

model::Holder holder(std::string name, int pid, std::string path) {
  model::Holder one;
  one.name = std::move(name);
  one.pid = pid;
  one.function = gpu;
  one.paths = {std::move(path)};
  return one;
}

model::BootFramebuffer framebuffer(std::string driver) {
  model::BootFramebuffer one;
  one.device = "simple-framebuffer.0";
  one.driver = std::move(driver);
  one.first = 0xe0000000;
  one.last = 0xe02fffff;
  one.label = "BOOTFB";
  one.function = gpu;
  return one;
}

void set_reset(HostSnapshot& host, std::vector<std::string> methods) {
  edit(host, gpu).reset_methods = std::move(methods);
}

const Case host_cases[] = {
    {"iommu_off", "iommu-off", Severity::error, "/sys/kernel/iommu_groups: is empty\n", "",
     lose_all_groups},
    {"iommu_switched_off", "iommu-off", Severity::error, "/proc/cmdline: ro intel_iommu=off\n",
     R"(sudo sed -i 's#\(["[:space:]]\)intel_iommu=off\(["[:space:]]\)#\1\2#' /etc/default/grub && sudo update-grub)",
     [](HostSnapshot& host) {
       lose_all_groups(host);
       host.kernel.command_line = std::string("ro intel_iommu=off\n");
     }},
    {"virtualization_off", "virtualization-off", Severity::warning, "/proc/cpuinfo: neither", "",
     [](HostSnapshot& host) {
       host.kernel.cpu_virtualization = false;
       host.kernel.kvm_device = false;
     }},
    {"kvm_missing", "kvm-missing", Severity::warning, "/dev/kvm: is not there\n",
     "tessera module load kvm_intel", [](HostSnapshot& host) { host.kernel.kvm_device = false; }},
    {"kvm_missing_on_amd", "kvm-missing", Severity::warning, "/dev/kvm: is not there\n",
     "tessera module load kvm_amd",
     [](HostSnapshot& host) {
       host.kernel.kvm_device = false;
       edit(host, host_bridge).vendor = std::uint16_t{0x1022};
     }},
    {"no_vfio_module", "vfio-driver-missing", Severity::error,
     "/lib/modules/6.1.0-31-amd64/modules.alias: no line for vfio_pci\n",
     "sudo apt-get install linux-image-amd64",
     [](HostSnapshot& host) { host.kernel.vfio_pci_available = false; }},
    {"unsafe_interrupts_without_need", "unsafe-interrupts", Severity::warning,
     "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts: Y\n",
     "echo N | sudo tee /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
     [](HostSnapshot& host) { host.kernel.unsafe_interrupts_allowed = true; }},
    {"unsafe_interrupts_needed", "unsafe-interrupts", Severity::warning,
     "allow_unsafe_interrupts: Y\n", "",
     [](HostSnapshot& host) {
       host.kernel.unsafe_interrupts_allowed = true;
       host.kernel.interrupt_remapping = false;
     }},
    {"no_interrupt_remapping", "unsafe-interrupts", Severity::error, "/sys/class/iommu: a unit", "",
     [](HostSnapshot& host) { host.kernel.interrupt_remapping = false; }},
    {"noiommu_mode", "noiommu-mode", Severity::warning,
     "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode: Y\n",
     "echo N | sudo tee /sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
     [](HostSnapshot& host) { host.kernel.noiommu_enabled = true; }},
    {"processes_unseen", "card-held", Severity::note, "/proc: the open files of 3 processes",
     "sudo tessera doctor", [](HostSnapshot& host) { host.unreadable_processes = 3; }},
    {"identical_cards", "identical-cards", Severity::note, "0000:03:00.0/device: 10de:1db4\n", "",
     [](HostSnapshot& host) {
       auto twin = function_at(at(3, 0, 0), class_vga, "nouveau", 4);
       twin.reset_methods = std::vector<std::string>{"flr"};
       host.functions.push_back(twin);
       host.groups.push_back({4, {twin.address}, {}, {}});
       host.cards.push_back({"twin", twin.address, "twin", {twin.address}, {4}, false});
     }},
};

const Case card_cases[] = {
    {"no_group", "no-group", Severity::error, "0000:01:00.0/iommu_group: is not there\n", "",
     [](HostSnapshot& host) {
       edit(host, gpu).iommu_group = {};
       std::erase(host.groups[2].members, gpu);
     }},
    {"group_shared", "group-shared", Severity::error,
     "/sys/kernel/iommu_groups/2/devices: 0000:01:00.0 0000:01:00.1 0000:02:00.0\n", "",
     [](HostSnapshot& host) { move_to_group(host, network, 2); }},
    {"direct_region", "reserved-direct-region", Severity::error,
     "/sys/kernel/iommu_groups/2/reserved_regions: 0x00000000bdf6e000 0x00000000bdf84fff direct\n",
     "",
     [](HostSnapshot& host) {
       host.groups[2].reserved_regions.push_back({0xbdf6e000, 0xbdf84fff, "direct"});
     }},
    {"virtual_functions",
     "slices-in-use",
     Severity::error,
     "0000:01:00.0/sriov_numvfs: 2\n",
     "sudo /usr/lib/nvidia/sriov-manage -d 0000:01:00.0",
     [](HostSnapshot& host) { edit(host, gpu).vf_enabled = 2; },
     {"vf-lost"}},
    {"virtual_functions_of_others",
     "slices-in-use",
     Severity::error,
     "0000:01:00.0/sriov_numvfs: 2\n",
     "echo 0 | sudo tee /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs",
     [](HostSnapshot& host) {
       edit(host, gpu).vf_enabled = 2;
       edit(host, gpu).vendor = std::uint16_t{0x8086};
     },
     {"vf-lost"}},
    {"mediated_device_on_a_virtual_function", "slices-in-use", Severity::error,
     "0000:01:00.4/c0ffee: is there\n", "sudo mdevctl stop -u c0ffee",
     [](HostSnapshot& host) {
       edit(host, gpu).vf_enabled = 1;
       auto slice = function_at(at(1, 0, 4), class_vga, "nvidia", 4);
       slice.physical_function = gpu;
       slice.mdevs = {"c0ffee"};
       host.functions.push_back(slice);
     }},
    {"held_by_a_process", "card-held", Severity::error,
     "/proc/812/fd: Xorg (pid 812) has /dev/dri/card0 open\n",
     "tessera assign 0000:01:00.0 --to vm --stop-holders",
     [](HostSnapshot& host) { host.holders = {holder("Xorg", 812, "/dev/dri/card0")}; }},
    {"held_by_a_unit", "card-held", Severity::error, "(pid 9, unit display-manager.service)",
     "tessera assign 0000:01:00.0 --to vm --stop-holders",
     [](HostSnapshot& host) {
       host.holders = {holder("Xorg", 9, "/dev/dri/card0")};
       host.holders[0].unit = "display-manager.service";
     }},
    {"held_by_a_machine", "card-held", Severity::error, "/proc/77/fd: qemu-system-x86 (pid 77)", "",
     [](HostSnapshot& host) { host.holders = {holder("qemu-system-x86", 77, "/dev/vfio/2")}; }},
    {"boot_framebuffer", "boot-framebuffer", Severity::error,
     "/proc/iomem: e0000000-e02fffff : BOOTFB\n", "tessera framebuffer detach simple-framebuffer.0",
     [](HostSnapshot& host) {
       host.framebuffers = {framebuffer("simple-framebuffer")};
       edit(host, gpu).boot_vga = true;
     }},
    {"framebuffer_known_by_iomem_only", "boot-framebuffer", Severity::error,
     "/proc/iomem: e0000000-e02fffff : efifb\n", "tessera assign 0000:01:00.0 --to vm --force",
     [](HostSnapshot& host) {
       host.framebuffers = {framebuffer("")};
       host.framebuffers[0].device = "";
       host.framebuffers[0].label = "efifb";
     }},
    {"detached_framebuffer", "boot-framebuffer", Severity::warning,
     "simple-framebuffer.0/driver: is not there\n", "",
     [](HostSnapshot& host) { host.framebuffers = {framebuffer("")}; }},
    {"boot_vga", "boot-framebuffer", Severity::warning, "0000:01:00.0/boot_vga: 1\n",
     "tessera assign 0000:01:00.0 --to vm --force",
     [](HostSnapshot& host) { edit(host, gpu).boot_vga = true; }},
    {"framebuffer_somewhere", "boot-framebuffer", Severity::note,
     "/proc/iomem: shows no place for it\n", "sudo tessera doctor",
     [](HostSnapshot& host) {
       host.framebuffers = {framebuffer("simple-framebuffer")};
       host.framebuffers[0].first = 0;
       host.framebuffers[0].last = 0;
       host.framebuffers[0].function = std::nullopt;
     }},
    {"split_card", "card-split", Severity::warning, "0000:01:00.1/driver: -> snd_hda_intel\n",
     "tessera assign 0000:01:00.0 --to vm",
     [](HostSnapshot& host) {
       edit(host, gpu).driver = "vfio-pci";
       edit(host, gpu).driver_override = std::string("vfio-pci");
     }},
    {"function_without_driver", "stranded", Severity::warning,
     "0000:01:00.1/driver: is not there\n", "tessera assign 0000:01:00.0 --to host",
     [](HostSnapshot& host) { edit(host, audio).driver = ""; }},
    {"override_on_a_bound_function", "stranded", Severity::warning,
     "0000:01:00.0/driver_override: vfio-pci\n", "tessera assign 0000:01:00.0 --to host",
     [](HostSnapshot& host) { edit(host, gpu).driver_override = std::string("vfio-pci"); }},
    {"override_without_driver", "stranded", Severity::warning,
     "0000:01:00.0/driver_override: vfio-pci\n", "tessera assign 0000:01:00.0 --to host",
     [](HostSnapshot& host) {
       edit(host, gpu).driver_override = std::string("vfio-pci");
       edit(host, gpu).driver = "";
     }},
    {"reset_switched_off", "weak-reset", Severity::warning, "0000:01:00.0/reset_method: is empty\n",
     "echo default | sudo tee /sys/bus/pci/devices/0000:01:00.0/reset_method",
     [](HostSnapshot& host) { set_reset(host, {}); }},
    {"bus_reset_only", "weak-reset", Severity::note, "0000:01:00.0/reset_method: bus\n", "",
     [](HostSnapshot& host) { set_reset(host, {"bus"}); }},
    {"bus_reset_only_on_amd", "weak-reset", Severity::warning, "reset_method: bus\n", "",
     [](HostSnapshot& host) {
       set_reset(host, {"bus"});
       edit(host, gpu).vendor = std::uint16_t{0x1002};
     }},
    {"no_reset_method", "weak-reset", Severity::warning,
     "0000:01:00.0/reset_method: is not there\n", "",
     [](HostSnapshot& host) {
       edit(host, gpu).reset_methods = {};
       edit(host, network).reset_methods = std::vector<std::string>{"flr"};
     }},
};

INSTANTIATE_TEST_SUITE_P(host, CheckFires, testing::ValuesIn(host_cases), case_name);
INSTANTIATE_TEST_SUITE_P(card, CheckFires, testing::ValuesIn(card_cases), case_name);
INSTANTIATE_TEST_SUITE_P(hardware, CheckFires, testing::ValuesIn(hardware_cases()), case_name);

TEST(checks, every_check_has_a_case_that_makes_it_fire) {
  for (const Check& check : all_checks()) {
    auto fits = [&](const Case& c) { return c.id == check.id && c.severity == check.severity; };
    // These need two things wrong; they have tests of their own.
    constexpr std::string_view with_another[] = {"ids-take-twins", "framebuffer-argument-ignored"};
    const bool fires_with_another =
        std::ranges::find(with_another, check.id) != std::end(with_another);
    EXPECT_TRUE(fires_with_another || std::ranges::any_of(host_cases, fits) ||
                std::ranges::any_of(card_cases, fits) ||
                std::ranges::any_of(settings_cases(), fits) ||
                std::ranges::any_of(hardware_cases(), fits))
        << check.id << " never fires with its own severity in these tests";
  }
}

TEST(checks, a_good_host_gives_no_finding) {
  EXPECT_TRUE(diagnose(good_host()).empty());
}

TEST(checks, an_empty_recording_gives_no_finding) {
  HostSnapshot host;
  EXPECT_TRUE(diagnose(host).empty());
}

TEST(checks, what_a_recording_does_not_hold_proves_nothing) {
  HostSnapshot host = good_host();
  lose_all_groups(host);
  host.live = false;
  host.complete = false;
  host.kernel = {};
  for (auto& function : host.functions) {
    function.driver = "";
    function.usual_driver = "";
    function.driver_override = {};
    function.reset_methods = {};
    function.boot_vga = {};
    function.class_code = {};
  }
  EXPECT_TRUE(diagnose(host).empty()) << diagnose(host)[0].id;
}

TEST(checks, an_empty_directory_of_groups_in_a_recording_proves_that_the_iommu_is_off) {
  HostSnapshot host;
  host.kernel.iommu_groups_present = true;
  auto found = findings_with(host, "iommu-off");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].evidence[0].text, "is empty");
}

TEST(checks, a_file_that_may_not_be_read_becomes_a_note) {
  HostSnapshot host = good_host();
  host.kernel.cpu_virtualization = Reading<bool>::unreadable("EACCES");
  host.kernel.kvm_device = Reading<bool>::unreadable("EACCES");
  host.kernel.vfio_pci_available = Reading<bool>::unreadable("EACCES");
  host.kernel.unsafe_interrupts_allowed = Reading<bool>::unreadable("EACCES");
  host.kernel.noiommu_enabled = Reading<bool>::unreadable("EACCES");
  edit(host, gpu).reset_methods = Reading<std::vector<std::string>>::unreadable("EIO");
  auto findings = diagnose(host);
  EXPECT_EQ(findings.size(), 6U);
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.severity, Severity::note) << finding.id;
    EXPECT_NE(finding.title.find("could not be read"), std::string::npos) << finding.title;
    EXPECT_EQ(finding.fix, "Run the doctor as root.");
  }
}

TEST(checks, groups_that_may_not_be_listed_are_a_note_and_not_a_missing_iommu) {
  HostSnapshot host = good_host();
  lose_all_groups(host);
  host.kernel.iommu_groups_present = Reading<bool>::unreadable("EACCES");
  auto found = findings_with(host, "iommu-off");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(checks, intel_iommu_on_is_never_asked_for_where_groups_exist) {
  for (const Finding& finding : diagnose(good_host())) {
    EXPECT_EQ(finding.fix.find("intel_iommu=on"), std::string::npos) << finding.id;
  }
}

TEST(checks, an_iommu_that_was_switched_off_is_switched_on_as_the_distribution_does_it) {
  for (const auto& [flow, command] :
       {std::pair{"fedora", "sudo grubby --update-kernel=ALL --remove-args='iommu=off'"},
        {"suse", "sudo update-bootloader --del-option 'iommu=off'"},
        {"nixos", ""}}) {
    HostSnapshot host = good_host();
    lose_all_groups(host);
    host.kernel.command_line = std::string("ro iommu=off\n");
    host.boot.flow = flow;
    const auto found = findings_with(host, "iommu-off");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].command, command);
    EXPECT_EQ(found[0].fix.find("GRUB"), std::string::npos) << found[0].fix;
  }
}

TEST(checks, integrated_graphics_without_group_is_told_about_debians_default) {
  HostSnapshot host = good_host();
  host.cards[0].integrated = true;
  for (const auto& address : {gpu, audio}) {
    edit(host, address).iommu_group = {};
    std::erase(host.groups[2].members, address);
  }
  auto found = findings_with(host, "no-group");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].fix.find("intel_iommu=on"), std::string::npos);
  EXPECT_NE(found[0].fix.find("update-grub"), std::string::npos);
}

TEST(checks, an_amd_host_is_told_that_amd_iommu_on_is_no_option) {
  HostSnapshot host = good_host();
  lose_all_groups(host);
  edit(host, host_bridge).vendor = std::uint16_t{0x1022};
  auto found = findings_with(host, "iommu-off");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].fix.find("amd_iommu=on is not an option"), std::string::npos);
  EXPECT_EQ(found[0].fix.find("add intel_iommu"), std::string::npos);
}

TEST(checks, the_foreign_device_is_named_with_its_driver) {
  HostSnapshot host = good_host();
  move_to_group(host, network, 2);
  auto found = findings_with(host, "group-shared");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "IOMMU group 2 holds another device too: 0000:02:00.0");
  EXPECT_NE(evidence_text(found[0]).find("82574L Gigabit Network Connection, driver e1000e"),
            std::string::npos);
}

TEST(checks, relaxable_direct_regions_are_harmless) {
  HostSnapshot host = good_host();
  host.groups[2].reserved_regions.push_back({0xbdf6e000, 0xbdf84fff, "direct-relaxable"});
  EXPECT_TRUE(findings_with(host, "reserved-direct-region").empty());
}

TEST(checks, a_card_given_whole_is_neither_split_nor_stranded) {
  HostSnapshot host = good_host();
  for (const auto& address : {gpu, audio}) {
    edit(host, address).driver = "vfio-pci";
    edit(host, address).driver_override = std::string("vfio-pci");
  }
  EXPECT_TRUE(diagnose(host).empty());
}

TEST(checks, an_old_kernel_without_reset_method_files_is_not_blamed) {
  HostSnapshot host = good_host();
  edit(host, gpu).reset_methods = {};
  EXPECT_TRUE(findings_with(host, "weak-reset").empty());
}

TEST(checks, efifb_off_is_said_not_to_help_against_simpledrm) {
  HostSnapshot host = good_host();
  host.framebuffers = {framebuffer("simple-framebuffer")};
  auto found = findings_with(host, "boot-framebuffer");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].fix.find("video=efifb:off does not help where simpledrm draws"),
            std::string::npos);
}

TEST(checks, one_process_with_several_files_is_one_holder) {
  HostSnapshot host = good_host();
  host.holders = {holder("Xorg", 812, "/dev/dri/card0"), holder("Xorg", 812, "/dev/snd/pcmC1D3p")};
  host.holders[1].function = audio;
  auto found = findings_with(host, "card-held");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "Xorg (pid 812) uses the card");
  EXPECT_NE(evidence_text(found[0]).find("/dev/dri/card0, /dev/snd/pcmC1D3p"), std::string::npos);
}

}  // namespace
}  // namespace tessera::plan
