// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/test_directory.h"
#include "model/json.h"
#include "probe/drivers.h"
#include "probe/holders.h"
#include "probe/inline_host.h"
#include "probe/iommu.h"
#include "probe/pci.h"
#include "probe/read.h"
#include "probe/system.h"

namespace tessera::probe {
namespace {

using model::HostSnapshot;
using model::PciAddress;

PciAddress at(const char* text) {
  return *model::parse_pci_address(text);
}

HostSnapshot snapshot_of(const kernel::Root& root) {
  auto host = take_snapshot(root);
  EXPECT_TRUE(host) << one_line(host.error());
  return host ? std::move(*host) : HostSnapshot{};
}

HostSnapshot recorded(const std::string& name) {
  auto root = kernel::Root::open(std::string(TESSERA_TESTS_DIR "/hosts/") + name + "/tree.tsv");
  EXPECT_TRUE(root) << name;
  return root ? snapshot_of(*root) : HostSnapshot{};
}

struct Expected {
  const char* host;
  std::size_t functions;
  std::vector<const char*> cards;
};

// What each recording shows; see tests/hosts for where they come from.
const std::vector<Expected> recorded_hosts = {
    {"amd-b450-rx550-rx5600xt", 30, {"0000:06:00.0", "0000:09:00.0"}},
    {"amd-mi300x-gim", 2, {"0000:0c:00.0"}},
    {"amd-strix-halo-framework-bootfb", 1, {"0000:c3:00.0"}},
    {"amd-x570-2xarc-a770", 17, {"0000:07:00.0", "0000:0f:00.0"}},
    {"nvidia-gb10-dgx-spark", 1, {"000f:01:00.0"}},
    {"nvidia-a2-sriov-mdev", 0, {}},
    {"nvidia-l40s-vendor-vfio", 1, {}},
    {"intel-adl-igpu-sriov", 1, {"0000:00:02.0"}},
};

TEST(RecordedHosts, show_their_cards) {
  for (const auto& expected : recorded_hosts) {
    HostSnapshot host = recorded(expected.host);
    EXPECT_EQ(host.functions.size(), expected.functions) << expected.host;
    std::vector<std::string> cards;
    for (const auto& card : host.cards) cards.push_back(to_string(card.address));
    EXPECT_EQ(cards, std::vector<std::string>(expected.cards.begin(), expected.cards.end()))
        << expected.host;
  }
}

TEST(RecordedHosts, all_give_a_snapshot_that_is_sound_and_printable) {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TESSERA_TESTS_DIR "/hosts")) {
    if (!std::filesystem::exists(entry.path() / "tree.tsv")) continue;
    ++seen;
    std::string name = entry.path().filename();
    HostSnapshot host = recorded(name);
    EXPECT_FALSE(host.live);
    EXPECT_TRUE(host.holders.empty()) << name;
    EXPECT_NO_THROW((void)to_json(host).dump()) << name;
    std::set<std::string> identities;
    for (const auto& card : host.cards) {
      EXPECT_TRUE(identities.insert(card.identity).second) << name << " " << card.identity;
      EXPECT_FALSE(card.name.empty()) << name;
      for (const auto& address : card.functions) {
        ASSERT_NE(host.function(address), nullptr) << name;
        EXPECT_EQ(host.card_of(address), &card) << name;
      }
    }
    for (const auto& function : host.functions) {
      if (!function.iommu_group.has_value()) continue;
      const auto* group = host.group(function.iommu_group.value());
      ASSERT_NE(group, nullptr) << name;
      EXPECT_TRUE(std::ranges::binary_search(group->members, function.address)) << name;
    }
  }
  EXPECT_GE(seen, 21);
}

TEST(RecordedHosts, keep_a_half_known_device_as_it_is) {
  HostSnapshot host = recorded("nvidia-dgx2h-16xV100-nvswitch");
  EXPECT_EQ(host.cards.size(), 16U);
  const auto* half_known = host.function(at("0000:66:00.0"));
  ASSERT_NE(half_known, nullptr);
  EXPECT_EQ(half_known->vendor.value_or(1), 0);
  EXPECT_EQ(host.card_of(half_known->address), nullptr);
}

constexpr const char* full_function =
    "/sys/bus/pci/devices/0000:01:00.0\t-> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/vendor\t0x10de\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/device\t0x1db4\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/class\t0x030200\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/driver\t-> "
    "../../../../bus/pci/drivers/nvidia\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/driver_override\t(null)\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/modalias\t"
    "pci:v000010DEd00001DB4sv000010DEsd00001212bc03sc02i00\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/numa_node\t-1\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/boot_vga\t1\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/reset_method\tflr bus\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/max_link_speed\t8.0 GT/s PCIe\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/sriov_totalvfs\t16\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/sriov_numvfs\t0\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/drm/card1\t@dir\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/drm/renderD129\t@dir\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/graphics/fb0\t@dir\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/sound/card2/controlC2\t@dir\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/sound/card2/pcmC2D3p\t@dir\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/sound/card2/id\tNVidia\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/"
    "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/x\t1\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/consumer:pci:0000:61:00.1\t-> "
    "../../x\n"
    "/proc/driver/nvidia/gpus/0000:01:00.0/information\tModel:\\t\\t Tesla V100\\nDevice Minor: "
    "\\t 3\\n\n"
    "/sys/kernel/iommu_groups/7/devices/0000:01:00.0\t-> "
    "../../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0\n"
    "/sys/kernel/iommu_groups/7/type\tDMA-FQ\\n\n"
    "/sys/kernel/iommu_groups/7/reserved_regions\t"
    "0x00000000fee00000 0x00000000feefffff msi\\n0x1 0x2 direct\\njunk\\n\n"
    "/proc/sys/kernel/osrelease\t6.1.0-44-amd64\\n\n"
    "/lib/modules/6.1.0-44-amd64/modules.alias\t"
    "alias pci:v000010DEd*sv*sd*bc03sc*i* nouveau\\n"
    "alias pci:v000010DEd00001DB4sv*sd*bc*sc*i* nvidiafb\\n"
    "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\\n\n";

TEST(PciFunctions, are_read_with_every_field) {
  auto root = inline_host(full_function);
  HostSnapshot host = snapshot_of(root);
  ASSERT_EQ(host.functions.size(), 1U);
  const auto& function = host.functions[0];
  EXPECT_EQ(function.sysfs_path, "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0");
  EXPECT_EQ(function.class_code.value_or(0), 0x030200U);
  EXPECT_EQ(function.driver, "nvidia");
  EXPECT_EQ(function.driver_override, model::Reading<std::string>(std::string{}));
  EXPECT_EQ(function.numa_node.value_or(7), -1);
  EXPECT_TRUE(function.boot_vga.value_or(false));
  EXPECT_EQ(function.reset_methods.value_or({}), (std::vector<std::string>{"flr", "bus"}));
  EXPECT_EQ(function.parent, at("0000:00:01.0"));
  EXPECT_EQ(function.vf_total.value_or(0), 16);
  EXPECT_EQ(function.vf_enabled.value_or(1), 0);
  EXPECT_EQ(function.express, model::Reading<bool>(true));
  EXPECT_EQ(function.mdevs, (std::vector<std::string>{"83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"}));
  EXPECT_EQ(function.device_files,
            (std::vector<std::string>{"/dev/dri/card1", "/dev/dri/renderD129", "/dev/fb0",
                                      "/dev/nvidia3", "/dev/snd/controlC2", "/dev/snd/pcmC2D3p"}));
  EXPECT_EQ(function.vfio_module, "vfio_pci");
  EXPECT_EQ(function.usual_driver, "nouveau");
}

TEST(IommuGroups, come_from_their_own_side_too) {
  auto root = inline_host(full_function);
  HostSnapshot host = snapshot_of(root);
  ASSERT_EQ(host.groups.size(), 1U);
  EXPECT_EQ(host.groups[0].members, (std::vector<PciAddress>{at("0000:01:00.0")}));
  EXPECT_EQ(host.groups[0].type.value_or(""), "DMA-FQ");
  EXPECT_EQ(
      host.groups[0].reserved_regions,
      (std::vector<model::ReservedRegion>{{0xfee00000, 0xfeefffff, "msi"}, {1, 2, "direct"}}));
  EXPECT_EQ(host.functions[0].iommu_group.value_or(0), 7);
  EXPECT_EQ(host.cards.at(0).groups, (std::vector<int>{7}));
}

TEST(IommuGroups, come_from_the_functions_side_alone) {
  auto root = inline_host(
      "/sys/bus/pci/devices/0000:01:00.0/iommu_group\t-> ../../../../kernel/iommu_groups/12\n"
      "/sys/bus/pci/devices/0000:02:00.0/iommu_group\t-> elsewhere/none\n");
  HostSnapshot host = snapshot_of(root);
  ASSERT_EQ(host.groups.size(), 1U);
  EXPECT_EQ(host.groups[0].number, 12);
  EXPECT_TRUE(host.functions[1].iommu_group.is_absent());
}

TEST(PciFunctions, that_are_virtual_show_the_vgpus_made_on_them) {
  auto root = inline_host(
      "/sys/bus/pci/devices/0000:01:00.4/physfn\t-> ../0000:01:00.0\n"
      "/sys/bus/pci/devices/0000:01:00.4/nvidia/current_vgpu_type\t0\\n\n"
      "/sys/bus/pci/devices/0000:01:00.4/mdev_supported_types/nvidia-746/name\tA2-4Q\\n\n"
      "/sys/bus/pci/devices/0000:01:00.4/aa618089-8b16-4d01-a136-25a0f3c73123\t@dir\n");
  HostSnapshot host = snapshot_of(root);
  ASSERT_EQ(host.functions.size(), 1U);
  EXPECT_TRUE(host.functions[0].vendor_vgpu);
  EXPECT_EQ(host.functions[0].mdev_types, (std::vector<std::string>{"nvidia-746"}));
  EXPECT_EQ(host.functions[0].mdevs.size(), 1U);
}

TEST(PciFunctions, with_nothing_recorded_are_absent_and_never_zero) {
  auto root = inline_host("/sys/bus/pci/devices/0000:01:00.0\t@dir\n");
  HostSnapshot host = snapshot_of(root);
  ASSERT_EQ(host.functions.size(), 1U);
  const auto& function = host.functions[0];
  EXPECT_TRUE(function.vendor.is_absent());
  EXPECT_TRUE(function.class_code.is_absent());
  EXPECT_TRUE(function.driver_override.is_absent());
  EXPECT_TRUE(function.reset_methods.is_absent());
  EXPECT_TRUE(function.numa_node.is_absent());
  EXPECT_TRUE(function.express.is_absent());
  EXPECT_TRUE(function.sysfs_path.empty());
  EXPECT_TRUE(host.cards.empty());
}

TEST(PciFunctions, with_text_that_makes_no_sense_are_unreadable_with_the_text) {
  auto root = inline_host(
      "/sys/bus/pci/devices/0000:01:00.0/class\t0x10302000\\n\n"
      "/sys/bus/pci/devices/0000:01:00.0/numa_node\tmany\\n\n"
      "/sys/bus/pci/devices/0000:01:00.0/boot_vga\t\n"
      "/sys/bus/pci/devices/0000:01:00.0/reset_method\t\\n\n"
      "/sys/bus/pci/devices/nonsense/class\t0x030200\\n\n");
  HostSnapshot host = snapshot_of(root);
  ASSERT_EQ(host.functions.size(), 1U);
  EXPECT_TRUE(host.functions[0].class_code.is_unreadable());
  EXPECT_EQ(host.functions[0].numa_node.why(), "unexpected text 'many'");
  EXPECT_TRUE(host.functions[0].boot_vga.is_unreadable());
  ASSERT_TRUE(host.functions[0].reset_methods.has_value());
  EXPECT_TRUE(host.functions[0].reset_methods.value().empty());
}

TEST(Snapshot, of_a_directory_without_a_host_is_refused) {
  auto directory = std::filesystem::temp_directory_path() / "tessera-no-host";
  std::filesystem::create_directories(directory);
  auto root = kernel::Root::open(directory);
  ASSERT_TRUE(root);
  auto host = take_snapshot(*root);
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().kind, ErrorKind::not_found);
  EXPECT_NE(host.error().hint.find("--root"), std::string::npos);
  std::filesystem::remove(directory);
}

TEST(SysfsPaths, are_taken_from_links_that_lead_to_devices_only) {
  EXPECT_EQ(sysfs_path_of_link("../../../devices/pci0000:00/0000:00:01.0"),
            "/sys/devices/pci0000:00/0000:00:01.0");
  EXPECT_EQ(sysfs_path_of_link("/sys/devices/pci0000:00/0000:00:01.0"),
            "/sys/devices/pci0000:00/0000:00:01.0");
  EXPECT_EQ(sysfs_path_of_link("../0000:0c:00.0"), "");
  EXPECT_EQ(sysfs_path_of_link("/mnt/devices/pci0000:00/0000:00:01.0"), "");
  EXPECT_EQ(sysfs_path_of_link("../../../devices/platform"), "");
}

TEST(UsualModule, has_the_fewest_wildcards_and_is_no_old_framebuffer_driver) {
  std::vector<kernel::ModuleAlias> aliases = {{"pci:v000010DEd*sv*sd*bc03sc*i*", "nouveau"},
                                              {"pci:v000010DEd00001DB4sv*sd*bc03sc*i*", "nvidiafb"},
                                              {"pci:v000010DEd*sv*sd*bc03sc02i00*", "nvidia"},
                                              {"pci:v00008086d*sv*sd*bc03sc*i*", "i915"},
                                              {"pci:[", "broken"}};
  EXPECT_EQ(usual_module(aliases, "pci:v000010DEd00001DB4sv000010DEsd00001212bc03sc02i00"),
            "nvidia");
  EXPECT_EQ(usual_module(aliases, "pci:v000010DEd00001DB4sv000010DEsd00001212bc03sc00i00"),
            "nouveau");
  EXPECT_EQ(usual_module(aliases, "pci:v00001A03d00002000sv0sd0bc03sc00i00"), "");
}

TEST(Holders, are_named_by_the_function_whose_file_they_have_open) {
  HostSnapshot host;
  model::PciFunction vga;
  vga.address = at("0000:01:00.0");
  vga.device_files = {"/dev/dri/card0", "/dev/vfio/7"};
  model::PciFunction audio;
  audio.address = at("0000:01:00.1");
  audio.device_files = {"/dev/snd/controlC1", "/dev/vfio/7"};
  host.functions = {vga, audio};
  model::Card card;
  card.address = vga.address;
  card.functions = {vga.address, audio.address};
  host.cards = {card};
  kernel::OpenDeviceScan scan;
  scan.processes = {
      {20, "qemu", "", {"/dev/vfio/7"}},
      {10, "Xorg", "gdm.service", {"/dev/dri/card0", "/dev/snd/controlC1", "/dev/tty1"}},
      {30, "bash", "", {"/dev/tty2"}}};
  auto holders = find_holders(host, scan);
  ASSERT_EQ(holders.size(), 3U);
  EXPECT_EQ(holders[0].pid, 10);
  EXPECT_EQ(holders[0].unit, "gdm.service");
  EXPECT_EQ(holders[0].paths, (std::vector<std::string>{"/dev/dri/card0"}));
  EXPECT_EQ(holders[1].function, audio.address);
  EXPECT_EQ(holders[2].pid, 20);
  EXPECT_EQ(holders[2].function, vga.address);
}

TEST(KernelFacts, are_read_and_stay_absent_where_nothing_tells) {
  auto empty = inline_host("/sys/bus/pci/devices/0000:01:00.0\t@dir\n");
  auto none = snapshot_of(empty).kernel;
  EXPECT_TRUE(none.release.is_absent());
  EXPECT_TRUE(none.cpu_virtualization.is_absent());
  EXPECT_TRUE(none.kvm_device.is_absent());
  EXPECT_TRUE(none.vfio_pci_available.is_absent());
  EXPECT_TRUE(none.vfio_pci_loaded.is_absent());
  EXPECT_TRUE(none.interrupt_remapping.is_absent());

  auto root = inline_host(
      "/proc/sys/kernel/osrelease\t6.1.0\\n\n"
      "/proc/cmdline\tquiet intel_iommu=on\\n\n"
      "/proc/cpuinfo\tprocessor: 0\\nflags\\t\\t: fpu vmx sse\\n\n"
      "/proc/modules\tvfio_pci 16384 0 - Live 0x0\\n\n"
      "/dev/kvm\t\n"
      "/sys/class/iommu/dmar0/intel-iommu/ecap\tf010da\\n\n"
      "/sys/class/iommu/dmar1/intel-iommu/ecap\tf010d2\\n\n"
      "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode\tN\\n\n"
      "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts\tY\\n\n");
  auto facts = snapshot_of(root).kernel;
  EXPECT_EQ(facts.release.value_or(""), "6.1.0");
  EXPECT_EQ(facts.command_line.value_or(""), "quiet intel_iommu=on");
  EXPECT_EQ(facts.iommu_units, (std::vector<std::string>{"dmar0", "dmar1"}));
  EXPECT_EQ(facts.cpu_virtualization, model::Reading<bool>(true));
  EXPECT_EQ(facts.kvm_device, model::Reading<bool>(true));
  EXPECT_EQ(facts.vfio_pci_loaded, model::Reading<bool>(true));
  EXPECT_EQ(facts.unsafe_interrupts_allowed, model::Reading<bool>(true));
  EXPECT_EQ(facts.noiommu_enabled, model::Reading<bool>(false));
  EXPECT_EQ(facts.interrupt_remapping, model::Reading<bool>(false)) << "dmar1 has no bit 3";
}

TEST(CpuVirtualization, is_absent_where_there_are_no_flags) {
  EXPECT_TRUE(parse_cpu_virtualization("processor : 0\ncpu : POWER9\n").is_absent());
  EXPECT_EQ(parse_cpu_virtualization("flags : fpu\n"), model::Reading<bool>(false));
  EXPECT_EQ(parse_cpu_virtualization("flags\t\t: fpu svm\n"), model::Reading<bool>(true));
}

TEST(KernelLog, keeps_the_lines_that_can_explain_a_finding) {
  auto lines = lines_that_matter({"usb 1-1: new device", "DMAR: IOMMU enabled",
                                  "vfio-pci 0000:c3:00.0: BAR 0: can't reserve"});
  EXPECT_EQ(lines, (std::vector<std::string>{"DMAR: IOMMU enabled",
                                             "vfio-pci 0000:c3:00.0: BAR 0: can't reserve"}));
  EXPECT_EQ(lines_that_matter(std::vector<std::string>(500, "DMAR: x")).size(), 200U);
}

TEST(WhyUnreadable, is_the_errnos_name_where_there_was_one) {
  EXPECT_EQ(why_unreadable(error_from_errno(EACCES, "/x", "read")), "EACCES");
  EXPECT_EQ(why_unreadable(error_from_errno(EIO, "/x", "read")), "EIO");
  EXPECT_EQ(why_unreadable(Error{ErrorKind::invalid, "/x", "it is a directory", ""}), "invalid");
}

/// A card with three virtual functions, whose directories hold nothing but what is asked for here.
class CardWithFunctions {
 public:
  explicit CardWithFunctions(const std::string& first_link = "../0000:18:00.4") {
    const std::string bridge = "/sys/devices/pci0000:00/0000:00:01.0";
    function(bridge, "060400");
    function(card_, "030200");
    host_.file(card_ + "/sriov_numvfs", "3\n");
    host_.file(card_ + "/numa_node", "1\n");
    host_.link(card_ + "/driver", "../../../../bus/pci/drivers/nvidia");
    host_.link(card_ + "/virtfn0", first_link);
    host_.link(card_ + "/virtfn2", "../0000:18:00.6");
    for (const char* name : {"0000:18:00.4", "0000:18:00.5", "0000:18:00.6"}) {
      host_.directory(bridge + "/" + name);
      link(bridge + "/" + name);
    }
  }

  [[nodiscard]] HostSnapshot cards() const {
    const auto root = kernel::Root::open(host_.real());
    auto host = root ? take_snapshot(*root, model::Detail::cards) : fail(root.error());
    EXPECT_TRUE(host.has_value());
    return host ? std::move(*host) : HostSnapshot{};
  }
  /// Makes the second virtual function a network controller, for those who look at it.
  void disguise() { modalias("/sys/devices/pci0000:00/0000:00:01.0/0000:18:00.5", "020000"); }

 private:
  void function(const std::string& path, const std::string& class_code) {
    modalias(path, class_code);
    link(path);
  }
  void link(const std::string& path) {
    host_.link("/sys/bus/pci/devices" + path.substr(path.rfind('/')),
               "../../.." + path.substr(std::string("/sys").size()));
  }
  void modalias(const std::string& path, const std::string& code) {
    host_.file(path + "/modalias", "pci:v000010DEd000026B9sv000010DEsd00001851bc" +
                                       code.substr(0, 2) + "sc" + code.substr(2, 2) + "i" +
                                       code.substr(4) + "\n");
  }

  TestDirectory host_;
  std::string card_ = "/sys/devices/pci0000:00/0000:00:01.0/0000:18:00.0";
};

TEST(CardFunctions, virtual_functions_are_counted_off_and_not_looked_at) {
  CardWithFunctions given;
  given.disguise();
  const auto host = given.cards();
  ASSERT_EQ(host.functions.size(), 5U);
  ASSERT_EQ(host.cards.size(), 1U);
  EXPECT_EQ(host.function(at("18:00.0"))->driver, "nvidia");
  EXPECT_EQ(host.function(at("18:00.0"))->numa_node, model::Reading<int>(1));
  for (const char* address : {"18:00.4", "18:00.5", "18:00.6"}) {
    const auto* const function = host.function(at(address));
    EXPECT_EQ(function->physical_function, at("18:00.0")) << address;
    EXPECT_EQ(function->parent, at("00:01.0")) << address;
    EXPECT_EQ(function->sysfs_path,
              "/sys/devices/pci0000:00/0000:00:01.0/" + to_string(function->address));
    EXPECT_TRUE(function->class_code.is_absent()) << address;
  }
}

TEST(CardFunctions, virtual_functions_are_looked_at_where_the_links_do_not_tell_them) {
  for (const char* first_link :
       {"../0000:18:01.4", "../0000:18:00.3", "../0001:18:00.4", "../../0000:18:00.4"}) {
    CardWithFunctions given(first_link);
    given.disguise();
    const auto host = given.cards();
    ASSERT_EQ(host.functions.size(), 5U) << first_link;
    EXPECT_FALSE(host.function(at("18:00.4"))->physical_function.has_value()) << first_link;
    EXPECT_EQ(host.function(at("18:00.5"))->class_code, model::Reading<std::uint32_t>(0x020000))
        << first_link;
  }
}

}  // namespace
}  // namespace tessera::probe
