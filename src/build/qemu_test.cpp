// SPDX-License-Identifier: Apache-2.0
#include "build/qemu.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace tessera::build {
namespace {

using model::Accelerator;
using model::PciAddress;

PciAddress at(const char* text) {
  return *model::parse_pci_address(text);
}

model::PciFunction function(const char* address, std::uint32_t class_code, const char* driver,
                            int group) {
  model::PciFunction one;
  one.address = at(address);
  one.class_code = class_code;
  one.driver = driver;
  one.iommu_group = group;
  return one;
}

/// Two cards with their audio, both on vfio-pci; the second shares its group with its root port.
model::HostSnapshot two_cards() {
  model::HostSnapshot host;
  host.functions = {function("00:03.0", 0x060400, "pcieport", 12),
                    function("01:00.0", 0x030000, "vfio-pci", 11),
                    function("01:00.1", 0x040300, "vfio-pci", 11),
                    function("02:00.0", 0x030200, "nvgrace_gpu_vfio_pci", 12)};
  host.groups = {{11, {at("01:00.0"), at("01:00.1")}, {}, {}},
                 {12, {at("00:03.0"), at("02:00.0")}, {}, {}}};
  model::Card first;
  first.address = at("01:00.0");
  first.name = "one";
  first.functions = {at("01:00.0"), at("01:00.1")};
  first.groups = {11};
  model::Card second;
  second.address = at("02:00.0");
  second.name = "two";
  second.functions = {at("02:00.0")};
  second.groups = {12};
  host.cards = {first, second};
  return host;
}

model::MachineSpec spec_with(std::vector<PciAddress> cards) {
  model::MachineSpec spec;
  spec.name = "walk";
  spec.kernel = "/srv/lab guest.elf";
  spec.accelerator = Accelerator::kvm;
  spec.cards = std::move(cards);
  return spec;
}

std::string golden(const std::string& name) {
  std::ifstream in(std::string(TESSERA_TESTS_DIR "/golden/qemu/") + name);
  EXPECT_TRUE(in) << name << " is missing";
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Error refused(const model::HostSnapshot& host, const model::MachineSpec& spec) {
  auto build = build_machine(host, spec);
  EXPECT_FALSE(build.has_value());
  return build ? Error{} : build.error();
}

TEST(qemu_argv, a_card_with_audio_is_one_slot_behind_its_own_port) {
  auto spec = spec_with({at("01:00.0")});
  spec.serial_log = "/run/walk.serial";
  spec.pid_file = "/run/walk.pid";
  spec.append = "it's mine";
  auto build = build_machine(two_cards(), spec);
  ASSERT_TRUE(build.has_value()) << build.error().sentence;
  EXPECT_EQ(as_shell_text(build->argv), golden("card-with-audio.args"));
}

TEST(qemu_argv, two_cards_get_two_ports_and_a_bridge_in_the_group_is_left_alone) {
  auto spec = spec_with({at("01:00.0"), at("02:00.0")});
  spec.memory_mib = 4096;
  spec.vcpus = 4;
  spec.initrd = "/boot/initrd";
  auto build = build_machine(two_cards(), spec);
  ASSERT_TRUE(build.has_value()) << build.error().sentence;
  EXPECT_EQ(as_shell_text(build->argv), golden("two-cards.args"));
  EXPECT_EQ(build->notes.size(), 3U);
}

TEST(qemu_argv, a_machine_without_a_card_is_emulated_where_kvm_is_not_wanted) {
  auto spec = spec_with({});
  spec.accelerator = Accelerator::tcg;
  auto build = build_machine({}, spec);
  ASSERT_TRUE(build.has_value());
  EXPECT_EQ(as_shell_text(build->argv), golden("no-card-tcg.args"));
  EXPECT_TRUE(build->notes.empty());
}

/// A mediated device of NVIDIA's on the first card, one of GVT-g, a virtual function.
model::HostSnapshot three_slices() {
  auto host = two_cards();
  model::SliceSource source;
  for (const auto& [identity, framework, driver] :
       {std::tuple{"11111111-2222-4333-8444-555555555555", model::Framework::mdev, "nvidia"},
        std::tuple{"66666666-2222-4333-8444-555555555555", model::Framework::gvt_g, "i915"},
        std::tuple{"0000:02:00.4", model::Framework::sriov, "vfio-pci"}}) {
    model::Slice slice;
    slice.identity = identity;
    slice.parent = framework == model::Framework::sriov ? identity : "0000:01:00.0";
    slice.framework = framework;
    slice.driver = driver;
    slice.name = "a slice";
    slice.iommu_group = 20;
    source.slices.push_back(slice);
  }
  host.slice_sources.push_back(source);
  return host;
}

model::MachineSpec spec_with_slice(const char* slice) {
  auto spec = spec_with({});
  spec.slices = {slice};
  return spec;
}

TEST(qemu_argv, slices_have_ports_of_their_own_and_screens_where_qemu_can_show_them) {
  const auto host = three_slices();
  auto spec = spec_with({});
  for (const auto& slice : host.slice_sources[0].slices) spec.slices.push_back(slice.identity);
  spec.qmp_socket = "/run/qmp.sock";
  const auto build = build_machine(host, spec);
  ASSERT_TRUE(build) << build.error().sentence;
  for (const char* wanted :
       {"vfio-pci,id=slice1,sysfsdev=/sys/bus/mdev/devices/11111111-2222-4333-8444-555555555555,"
        "bus=port1,display=auto",
        "vfio-pci,id=slice2,sysfsdev=/sys/bus/mdev/devices/66666666-2222-4333-8444-555555555555,"
        "bus=port2",
        "vfio-pci,id=slice3,host=0000:02:00.4,bus=port3",
        "unix:/run/qmp.sock,server=on,wait=off"}) {
    EXPECT_EQ(std::ranges::count(build->argv, wanted), 1) << wanted;
  }
}

TEST(qemu_argv, a_slice_that_is_not_there_to_be_had_is_refused) {
  auto host = three_slices();
  auto& slices = host.slice_sources[0].slices;
  const char* first = "11111111-2222-4333-8444-555555555555";
  EXPECT_EQ(refused(host, spec_with_slice("0000:02:00.5")).kind, ErrorKind::not_found);
  host.slice_owners[first] = "other";
  EXPECT_EQ(refused(host, spec_with_slice(first)).sentence, "it belongs to other");
  host.slice_owners[first] = "walk";
  EXPECT_TRUE(build_machine(host, spec_with_slice(first))) << "it is this machine's";
  slices[0].users = {{7, "qemu", "", "/dev/vfio/20"}};
  EXPECT_EQ(refused(host, spec_with_slice(first)).kind, ErrorKind::busy);
  slices[1].iommu_group = {};
  EXPECT_EQ(refused(host, spec_with_slice(slices[1].identity.c_str())).kind,
            ErrorKind::unsupported);
  slices[2].driver = "amdgpu";
  EXPECT_EQ(refused(host, spec_with_slice("0000:02:00.4")).kind, ErrorKind::conflict);
}

TEST(qemu_argv, a_card_whose_audio_has_another_slot_is_put_together_display_first) {
  auto host = two_cards();
  host.functions.push_back(function("03:00.0", 0x030000, "vfio-pci", 13));
  host.functions.push_back(function("02:01.0", 0x040300, "vfio-pci", 14));
  model::Card card;
  card.address = at("03:00.0");
  card.functions = {at("02:01.0"), at("03:00.0")};
  card.groups = {13, 14};
  host.cards.push_back(card);
  auto build = build_machine(host, spec_with({at("03:00.0")}));
  ASSERT_TRUE(build.has_value()) << build.error().sentence;
  auto text = as_shell_text(build->argv);
  EXPECT_NE(text.find("host=0000:03:00.0,bus=port1,addr=0x0.0x0,multifunction=on"),
            std::string::npos);
  EXPECT_NE(text.find("host=0000:02:01.0,bus=port1,addr=0x0.0x1\n"), std::string::npos) << text;
}

TEST(qemu_argv, a_function_on_a_host_driver_is_refused_with_its_name) {
  auto host = two_cards();
  host.functions[2].driver = "snd_hda_intel";
  auto error = refused(host, spec_with({at("01:00.0")}));
  EXPECT_EQ(error.kind, ErrorKind::conflict);
  EXPECT_EQ(error.subject, "0000:01:00.1");
  EXPECT_NE(error.sentence.find("snd_hda_intel"), std::string::npos);
  EXPECT_EQ(error.hint, "tessera assign 0000:01:00.0 --to vm");
}

TEST(qemu_argv, a_function_without_a_driver_is_refused_too) {
  auto host = two_cards();
  host.functions[1].driver = "";
  auto error = refused(host, spec_with({at("01:00.0")}));
  EXPECT_EQ(error.kind, ErrorKind::conflict);
  EXPECT_NE(error.sentence.find("no driver"), std::string::npos);
}

TEST(qemu_argv, a_stranger_on_a_host_driver_in_the_group_is_refused_with_its_name) {
  auto host = two_cards();
  host.functions.push_back(function("02:00.1", 0x020000, "e1000e", 12));
  host.groups[1].members.push_back(at("02:00.1"));
  auto error = refused(host, spec_with({at("02:00.0")}));
  EXPECT_EQ(error.kind, ErrorKind::conflict);
  EXPECT_EQ(error.subject, "0000:02:00.1");
  EXPECT_NE(error.sentence.find("e1000e"), std::string::npos);
}

TEST(qemu_argv, a_card_without_an_iommu_group_is_refused) {
  auto host = two_cards();
  host.functions[3].iommu_group = {};
  EXPECT_EQ(refused(host, spec_with({at("02:00.0")})).kind, ErrorKind::unsupported);
}

TEST(qemu_argv, an_address_that_is_no_card_is_not_found) {
  EXPECT_EQ(refused(two_cards(), spec_with({at("05:00.0")})).kind, ErrorKind::not_found);
}

TEST(qemu_argv, a_spec_that_makes_no_sense_is_invalid_before_the_host_is_looked_at) {
  auto spec = spec_with({at("05:00.0")});
  spec.memory_mib = 3;
  EXPECT_EQ(refused(two_cards(), spec).kind, ErrorKind::invalid);
}

struct Words {
  const char* qemu;
  ErrorKind kind;
  const char* in_hint;
};

class QemuFailure : public testing::TestWithParam<Words> {};

TEST_P(QemuFailure, is_explained_and_quoted) {
  auto spec = spec_with({at("01:00.0")});
  auto error = explain_qemu_failure(spec, GetParam().qemu);
  EXPECT_EQ(error.kind, GetParam().kind) << error.sentence;
  EXPECT_EQ(error.subject, "walk");
  EXPECT_NE(error.hint.find(GetParam().in_hint), std::string::npos) << error.hint;
  EXPECT_EQ(error.hint.find("CARD"), std::string::npos);
  EXPECT_EQ(error.hint.find("NAME"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    known_words, QemuFailure,
    testing::Values(
        Words{"qemu-system-x86_64: -device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: group 11 "
              "is not viable\nPlease ensure all devices within the iommu_group are bound to their "
              "vfio bus driver.\n",
              ErrorKind::conflict, "tessera assign 0000:01:00.0 --to vm"},
        Words{"vfio 0000:01:00.0: failed to open /dev/vfio/11: Permission denied\n",
              ErrorKind::denied, "udev"},
        Words{"vfio 0000:01:00.0: failed to open /dev/vfio/11: Device or resource busy\n",
              ErrorKind::busy, "tessera show 0000:01:00.0"},
        Words{"Could not open '/dev/vfio/3': No such file or directory\n", ErrorKind::conflict,
              "tessera assign"},
        Words{"vfio_container_dma_map(0x55, 0x0, 0x80000, 0x7f) = -12 (Cannot allocate memory)\n",
              ErrorKind::denied, "ulimit -l"},
        Words{"Could not access KVM kernel module: Permission denied\n", ErrorKind::denied, "kvm"},
        Words{"Could not access KVM kernel module: No such file or directory\n",
              ErrorKind::unsupported, "--accel tcg"},
        Words{"error: failed to set MSR 0x10a to 0x69\nkvm_buf_set_msrs: Assertion failed.\n",
              ErrorKind::unsupported, "--accel tcg"},
        Words{"cannot create PID file: Cannot lock pid file: Resource temporarily unavailable\n",
              ErrorKind::busy, "tessera run --stop walk"}));

TEST(qemu_failure_words, what_nobody_knows_is_quoted_as_it_is) {
  auto error = explain_qemu_failure(spec_with({}), "qemu-system-x86_64: something new\n");
  EXPECT_EQ(error.kind, ErrorKind::io);
  EXPECT_EQ(error.sentence, "QEMU ended: something new");
}

TEST(qemu_failure_words, silence_is_said) {
  EXPECT_EQ(explain_qemu_failure(spec_with({}), "").sentence, "QEMU ended without a word");
}

}  // namespace
}  // namespace tessera::build
