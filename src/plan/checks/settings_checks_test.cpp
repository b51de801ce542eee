// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plan/checks/check_case.h"

namespace tessera::plan {
namespace {

using model::HostSnapshot;
using model::Severity;
using namespace test;  // NOLINT(google-build-using-namespace)

class SettingsCheckFires : public testing::TestWithParam<Case> {};

TEST_P(SettingsCheckFires, on_its_host_and_only_it) {
  expect_one_finding(GetParam());
}

auto started_with(const std::string& arguments) {
  return [arguments](HostSnapshot& host) {
    host.kernel.command_line = "BOOT_IMAGE=/vmlinuz " + arguments;
  };
}

auto with_file(const std::string& path, const std::string& text) {
  return [path, text](HostSnapshot& host) { host.settings.push_back({path, text}); };
}

void make_amd(HostSnapshot& host) {
  edit(host, host_bridge).vendor = std::uint16_t{0x1022};
}

void add_twin(HostSnapshot& host) {
  auto twin = function_at(at(3, 0, 0), class_vga, "vfio-pci", 4);
  twin.reset_methods = std::vector<std::string>{"flr"};
  host.functions.push_back(twin);
  host.groups.push_back({4, {twin.address}, {}, {}});
  host.cards.push_back({"twin", twin.address, "twin", {twin.address}, {4}, false});
}

model::MemoryNode node_with(int number, std::uint64_t pages) {
  model::MemoryNode node;
  node.number = number;
  node.huge_pages = {{.size_kib = 2048, .total = pages, .free = pages}};
  return node;
}

constexpr const char* modprobe_file = "/etc/modprobe.d/vfio.conf";

const Case cases[] = {
    {"intremap_off", "interrupt-remapping-off", Severity::error, "intremap=off",
     R"(sudo sed -i 's#\(["[:space:]]\)intremap=off\(["[:space:]]\)#\1\2#' /etc/default/grub && sudo update-grub)",
     started_with("intremap=off")},
    {"on_fedora_the_fix_is_grubbys", "interrupt-remapping-off", Severity::error, "nointremap",
     "sudo grubby --update-kernel=ALL --remove-args='nointremap'",
     [](HostSnapshot& host) {
       started_with("nointremap")(host);
       host.boot.flow = "fedora";
     }},
    {"amd_iommu_on", "amd-iommu-on", Severity::note, "kernel log: AMD-Vi: Unknown option - 'on'",
     R"(sudo sed -i 's#\(["[:space:]]\)amd_iommu=on\(["[:space:]]\)#\1\2#' /etc/default/grub && sudo update-grub)",
     [](HostSnapshot& host) {
       make_amd(host);
       started_with("amd_iommu=on")(host);
       host.kernel_log = {"AMD-Vi: Unknown option - 'on'"};
     }},
    {"intel_option_on_amd", "other-makers-argument", Severity::note, "0x1022 (AMD)",
     R"(sudo sed -i 's#\(["[:space:]]\)intel_iommu=on\(["[:space:]]\)#\1\2#' /etc/default/grub && sudo update-grub)",
     [](HostSnapshot& host) {
       make_amd(host);
       started_with("intel_iommu=on")(host);
     }},
    {"iommu_pt", "iommu-pt", Severity::note, "iommu=pt",
     R"(sudo sed -i 's#\(["[:space:]]\)iommu=pt\(["[:space:]]\)#\1\2#' /etc/default/grub && sudo update-grub)",
     started_with("quiet iommu=pt")},
    {"acs_override_unknown", "unknown-kernel-parameter", Severity::warning,
     "kernel log: Unknown kernel command line parameters",
     R"(sudo sed -i 's#\(["[:space:]]\)pcie_acs_override=downstream\(["[:space:]]\)#\1\2#' /etc/default/grub && sudo update-grub)",
     [](HostSnapshot& host) {
       host.kernel_log = {
           "Unknown kernel command line parameters \"BOOT_IMAGE=/vmlinuz "
           "pcie_acs_override=downstream\", will be passed to user space."};
     }},
    {"dracut_option", "dracut-argument-ignored", Severity::warning, "rd.driver.pre=vfio-pci",
     R"(sudo sed -i 's#\(["[:space:]]\)rd.driver.pre=vfio-pci\(["[:space:]]\)#\1\2#' /etc/default/grub && sudo update-grub)",
     [](HostSnapshot& host) {
       started_with("rd.driver.pre=vfio-pci")(host);
       host.boot.initramfs = "initramfs-tools";
     }},
    {"grub_not_run", "argument-not-in-effect", Severity::warning,
     "/etc/default/grub:2: GRUB_CMDLINE_LINUX_DEFAULT=\"quiet intel_iommu=on\"", "sudo update-grub",
     with_file("/etc/default/grub",
               "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet intel_iommu=on\"\n")},
    {"ids_with_blank", "ids-with-blank", Severity::error,
     "/etc/modprobe.d/vfio.conf:1: options vfio-pci ids=10de:1111, 10de:2222",
     "sudo sed -i '1s|.*|options vfio-pci ids=10de:1111,10de:2222|' /etc/modprobe.d/vfio.conf && "
     "sudo update-initramfs -u -k all",
     [](HostSnapshot& host) {
       host.complete = false;  // these ids are nobody's here
       with_file(modprobe_file, "options vfio-pci ids=10de:1111, 10de:2222\n")(host);
     }},
    {"ids_wrong_form", "ids-wrong-form", Severity::error, "ids=10de,1b06", "",
     with_file(modprobe_file, "options vfio_pci ids=10de,1b06\n")},
    {"ids_fit_nothing", "ids-fit-nothing", Severity::warning, "none of 5 functions is it", "",
     with_file(modprobe_file, "options vfio-pci ids=10de:1111\n")},
    {"ids_too_late", "ids-too-late", Severity::warning, "driver: -> nouveau",
     "echo 'softdep nouveau pre: vfio-pci' | sudo tee -a /etc/modprobe.d/vfio.conf && sudo "
     "update-initramfs -u -k all",
     [](HostSnapshot& host) {
       edit(host, audio).device = std::uint16_t{0x10f2};
       edit(host, network).device = std::uint16_t{0x10d3};
       started_with("vfio-pci.ids=10de:1db4")(host);
       edit(host, root_port).device = std::uint16_t{0x1901};
     }},
    {"blacklist", "blacklist-without-effect", Severity::warning, "blacklist nouveau",
     "sudo tessera assign 0000:01:00.0 --to vm",
     with_file("/etc/modprobe.d/nvidia.conf", "blacklist nouveau\n")},
    {"virqfd", "unknown-module", Severity::note, "/etc/modules:2: vfio_virqfd",
     "sudo sed -i '2d' /etc/modules",
     [](HostSnapshot& host) {
       with_file("/etc/modules", "vfio\nvfio_virqfd\n")(host);
       host.kernel.unknown_modules = std::vector<std::string>{"vfio_virqfd"};
     }},
    {"unknown_initramfs_module", "unknown-module", Severity::warning,
     "/etc/initramfs-tools/modules:1: nvidia_vgpu",
     "sudo sed -i '1d' /etc/initramfs-tools/modules && sudo update-initramfs -u -k all",
     [](HostSnapshot& host) {
       with_file("/etc/initramfs-tools/modules", "nvidia_vgpu\n")(host);
       host.kernel.unknown_modules = std::vector<std::string>{"nvidia_vgpu"};
     }},
    {"huge_pages_short", "huge-pages-short", Severity::warning,
     "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages: 4",
     "echo 8 | sudo tee /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages; cat "
     "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages",
     [](HostSnapshot& host) {
       started_with("hugepagesz=1G hugepages=8")(host);
       host.huge_pages = {
           {.size_kib = 2048, .total = std::uint64_t{0}, .free = std::uint64_t{0}},
           {.size_kib = 1048576, .total = std::uint64_t{4}, .free = std::uint64_t{4}}};
     }},
    {"no_such_size", "huge-pages-short", Severity::warning,
     "/sys/kernel/mm/hugepages/hugepages-1048576kB: is not there", "",
     [](HostSnapshot& host) {
       started_with("hugepagesz=1G hugepages=8")(host);
       host.huge_pages = {{.size_kib = 2048, .total = std::uint64_t{0}, .free = std::uint64_t{0}}};
     }},
    {"pages_on_the_other_node", "huge-pages-on-other-node", Severity::warning,
     "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages: 512",
     "echo 1024 | sudo tee /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages",
     [](HostSnapshot& host) {
       edit(host, gpu).numa_node = 1;
       host.nodes = {node_with(0, 512), node_with(1, 0)};
     }},
    {"memlock", "memlock-low", Severity::note, "Max locked memory 8388608",
     "echo '@kvm - memlock unlimited' | sudo tee /etc/security/limits.d/vfio.conf",
     [](HostSnapshot& host) {
       host.kernel.memlock_limit = std::string("8388608");
       host.kernel.may_lock_any_memory = false;
     }},
    {"no_iommufd", "iommufd-missing", Severity::note,
     "/boot/config-6.1.0-31-amd64: # CONFIG_IOMMUFD is not set", "",
     [](HostSnapshot& host) {
       host.kernel.config = {{"CONFIG_IOMMUFD", "n"}};
     }},
    {"no_cdev", "iommufd-missing", Severity::note, "# CONFIG_VFIO_DEVICE_CDEV is not set", "",
     [](HostSnapshot& host) {
       host.kernel.config = {{"CONFIG_IOMMUFD", "m"}, {"CONFIG_VFIO_DEVICE_CDEV", "n"}};
     }},
    {"lockdown", "kernel-lockdown", Severity::note, "[integrity]", "",
     [](HostSnapshot& host) { host.kernel.lockdown = std::string("integrity"); }},
    {"module_rejected", "module-rejected", Severity::error, "unavailable key",
     "sudo mokutil --import /var/lib/dkms/mok.pub",
     [](HostSnapshot& host) {
       host.kernel_log = {"Loading of module with unavailable key is rejected"};
     }},
    {"nouveau_has_it", "free-driver-has-card", Severity::warning, "driver: -> nouveau", "",
     [](HostSnapshot& host) {
       host.kernel.modules = std::vector<std::string>{"nouveau", "nvidia"};
     }},
};

INSTANTIATE_TEST_SUITE_P(settings, SettingsCheckFires, testing::ValuesIn(cases),
                         [](const auto& one) { return one.param.name; });

TEST(settings_checks, ids_that_take_twins_name_both) {
  HostSnapshot host = good_host();
  add_twin(host);
  with_file(modprobe_file, "options vfio-pci ids=10de:1db4\nsoftdep nouveau pre: vfio-pci\n")(host);
  auto found = findings_with(host, "ids-take-twins");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(evidence_text(found[0]).find("0000:03:00.0/device: 10de:1db4"), std::string::npos);
  EXPECT_EQ(found[0].command, "sudo tessera assign 0000:03:00.0 --to vm");
}

TEST(settings_checks, one_card_of_its_model_is_no_twin) {
  HostSnapshot host = good_host();
  with_file(modprobe_file, "options vfio-pci ids=10de:1db4\nsoftdep nouveau pre: vfio-pci\n")(host);
  EXPECT_TRUE(findings_with(host, "ids-take-twins").empty());
}

TEST(settings_checks, a_softdep_makes_ids_early_enough) {
  HostSnapshot host = good_host();
  with_file(modprobe_file,
            "options vfio-pci ids=10de:1db4\nsoftdep nouveau pre: vfio-pci\nsoftdep snd_hda_intel "
            "pre: vfio-pci\nsoftdep e1000e pre: vfio-pci\nsoftdep pcieport pre: vfio-pci\n")(host);
  EXPECT_TRUE(findings_with(host, "ids-too-late").empty());
}

TEST(settings_checks, a_framebuffer_that_stays_makes_its_option_useless) {
  HostSnapshot host = good_host();
  started_with("video=efifb:off")(host);
  EXPECT_TRUE(findings_with(host, "framebuffer-argument-ignored").empty());
  model::BootFramebuffer framebuffer;
  framebuffer.device = "simple-framebuffer.0";
  framebuffer.driver = "simple-framebuffer";
  host.framebuffers = {framebuffer};
  auto found = findings_with(host, "framebuffer-argument-ignored");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].command, "sudo tessera framebuffer detach simple-framebuffer.0");
}

TEST(settings_checks, an_argument_that_is_in_effect_is_not_told) {
  HostSnapshot host = good_host();
  started_with("intel_iommu=on")(host);
  with_file("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"intel_iommu=on console=ttyS0\"\n")(host);
  EXPECT_TRUE(findings_with(host, "argument-not-in-effect").empty());
}

TEST(settings_checks, root_may_lock_what_it_wants) {
  HostSnapshot host = good_host();
  host.kernel.memlock_limit = std::string("8388608");
  host.kernel.may_lock_any_memory = true;
  EXPECT_TRUE(findings_with(host, "memlock-low").empty());
}

TEST(settings_checks, a_purpose_leaves_out_what_does_not_matter) {
  HostSnapshot host = good_host();
  host.kernel.modules = std::vector<std::string>{"nouveau", "nvidia"};
  EXPECT_EQ(diagnose(host, nullptr, Purpose::slices).size(), 1U);
  EXPECT_TRUE(diagnose(host, nullptr, Purpose::passthrough).empty());
}

}  // namespace

const std::vector<Case>& test::settings_cases() {
  static const std::vector<Case> all(std::begin(cases), std::end(cases));
  return all;
}

}  // namespace tessera::plan
