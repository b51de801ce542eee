// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/cut.h"

#include <gtest/gtest.h>

#include "plan/slices/availability.h"
#include "plan/slices/room.h"
#include "plan/slices/test_source.h"

namespace tessera::plan::slices {
namespace {

using model::Plan;

Result<Plan> cut(model::SliceSource source, const char* wanted) {
  SliceIntent intent;
  intent.devices = {source.device};
  intent.wishes = parse_request(wanted).value();
  intent.uuids = test::uuids(64);
  return plan_slices(test::host_with(std::move(source)), intent);
}

TEST(Cutting, a_card_of_16_gib_makes_every_even_cut) {
  for (const auto& [wanted, count] :
       {std::pair{"2x8G", 2}, {"4x4G", 4}, {"8x2G", 8}, {"16x1G", 16}}) {
    const auto plan = cut(test::v100(), wanted);
    ASSERT_TRUE(plan.has_value()) << wanted << ": " << plan.error().sentence;
    EXPECT_EQ(plan->operations.size(), static_cast<std::size_t>(count)) << wanted;
  }
}

TEST(Cutting, writes_a_fresh_uuid_to_create_and_takes_it_back_by_remove) {
  const auto plan = cut(test::v100(), "1x8C").value();
  ASSERT_EQ(plan.operations.size(), 1U);
  const auto& op = plan.operations.front();
  EXPECT_EQ(op.kind, "slice.create");
  EXPECT_EQ(op.subject, "11111111-2222-4333-8444-000000000000");
  ASSERT_EQ(op.forward.size(), 1U);
  EXPECT_EQ(op.forward[0].path,
            "/sys/bus/pci/devices/0000:3b:00.0/mdev_supported_types/nvidia-113/create");
  EXPECT_EQ(op.forward[0].text, op.subject);
  ASSERT_EQ(op.undo.size(), 1U);
  EXPECT_EQ(op.undo[0].path, "/sys/bus/mdev/devices/11111111-2222-4333-8444-000000000000/remove");
  EXPECT_FALSE(op.undo[0].only_if.empty()) << "it may be gone already";
}

TEST(Cutting, a_card_that_is_not_well_is_refused_and_passed_over_where_any_will_do) {
  auto sick = test::v100();
  auto well = test::v100();
  well.card = model::parse_pci_address("0000:af:00.0").value();
  well.device = "0000:af:00.0";
  well.parents[0].device = well.device;
  well.parents[0].sysfs_path = kernel::files::pci_device(well.device);
  auto host = test::host_with(sick);
  host.slice_sources.push_back(well);
  model::Finding cordon;
  cordon.id = "uncorrected-errors";
  cordon.card = sick.card;
  cordon.title = "The card lost data in 2 memory errors";
  cordon.fix = "Reset it.";
  host.cordons = {cordon};
  SliceIntent intent;
  intent.wishes = parse_request("1x8C").value();
  intent.uuids = test::uuids(64);
  const auto any = plan_slices(host, intent);
  ASSERT_TRUE(any) << one_line(any.error());
  EXPECT_NE(any->operations.front().forward.front().path.find(well.device), std::string::npos);
  intent.devices = {sick.device};
  const auto named = plan_slices(host, intent);
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().kind, ErrorKind::conflict);
  EXPECT_NE(named.error().sentence.find("lost data in 2 memory errors"), std::string::npos);
  EXPECT_NE(named.error().hint.find("Reset it."), std::string::npos);
  intent.devices.clear();
  host.slice_sources = {sick};
  EXPECT_EQ(plan_slices(host, intent).error().kind, ErrorKind::conflict);
}

TEST(Cutting, for_another_size_than_stands_there_is_refused_with_the_rule) {
  auto source = test::v100();
  test::put(source, "nvidia-113", 2);  // 8C
  const auto plan = cut(source, "1x4G");
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().kind, ErrorKind::conflict);
  EXPECT_NE(plan.error().sentence.find("2x GRID V100-8C of 8 GiB each stand there"),
            std::string::npos)
      << plan.error().sentence;
}

TEST(Cutting, more_than_fits_says_how_many_fit_and_what_else_does) {
  auto source = test::v100();
  test::put(source, "nvidia-107", 1);  // 4Q
  const auto plan = cut(source, "4x4G");
  ASSERT_FALSE(plan.has_value());
  EXPECT_NE(plan.error().sentence.find("room for 3"), std::string::npos) << plan.error().sentence;
  EXPECT_NE(plan.error().hint.find("3x GRID V100-4C"), std::string::npos) << plan.error().hint;
}

TEST(Cutting, two_sizes_at_once_are_refused_together_and_not_each) {
  const auto plan = cut(test::v100(), "1x8G+1x4G");
  ASSERT_FALSE(plan.has_value());
  EXPECT_NE(plan.error().sentence.find("each kind fits by itself"), std::string::npos);
}

TEST(Cutting, a_size_that_no_profile_has_lists_those_there_are) {
  const auto plan = cut(test::v100(), "1x3G");
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().kind, ErrorKind::unsupported);
  EXPECT_NE(plan.error().hint.find("GRID V100-16C (16 GiB)"), std::string::npos);
}

TEST(Cutting, a_card_that_the_driver_says_is_full_is_refused_though_nothing_is_seen_on_it) {
  auto source = test::v100();
  for (auto& creatable : source.parents[0].creatable) creatable.available = 0;
  const auto plan = cut(source, "1x4G");
  ASSERT_FALSE(plan.has_value());
  EXPECT_NE(plan.error().sentence.find("the driver counts none left"), std::string::npos);
}

model::SliceSource vendor_card(int functions) {
  model::SliceSource source;
  source.framework = model::Framework::vendor_vfio;
  source.card = model::PciAddress{0, 0x26, 0, 0};
  source.device = "0000:26:00.0";
  source.driver = "nvidia";
  for (int i = 0; i < functions; ++i) {
    model::SliceParent parent;
    parent.device = fmt::format("0000:26:{:02x}.{}", (i + 4) / 8, (i + 4) % 8);
    parent.sysfs_path = "/sys/bus/pci/devices/" + parent.device;
    parent.current_type = 0;
    parent.creatable = {{"1152", 1}, {"1154", 1}};
    source.parents.push_back(parent);
  }
  for (const auto& [type, gibs] : {std::pair{"1152", 8}, {"1154", 16}}) {
    model::Profile profile;
    profile.type = type;
    profile.name = fmt::format("NVIDIA L40S-{}Q", gibs);
    profile.series = "Q";
    profile.framebuffer_bytes = static_cast<std::uint64_t>(gibs) * gib;
    source.profiles.push_back(profile);
  }
  return source;
}

TEST(Cutting, on_virtual_functions_takes_the_free_ones_in_order_and_guards_each_write) {
  auto source = vendor_card(4);
  source.parents[0].current_type = 1152;
  source.parents[0].creatable.clear();
  const auto plan = cut(source, "2x8Q");
  ASSERT_TRUE(plan.has_value()) << plan.error().sentence;
  ASSERT_EQ(plan->operations.size(), 2U);
  EXPECT_EQ(plan->operations[0].subject, "0000:26:00.5");
  EXPECT_EQ(plan->operations[1].subject, "0000:26:00.6");
  const auto& undo = plan->operations[0].undo.front();
  EXPECT_EQ(undo.text, "0");
  ASSERT_EQ(undo.only_if.size(), 1U);
  EXPECT_EQ(undo.only_if[0].value, "1152") << "never another's vGPU";
}

TEST(Cutting, settings_are_written_after_the_slice_and_before_anything_else) {
  SliceIntent intent;
  intent.devices = {"0000:26:00.0"};
  intent.wishes = parse_request("8Q").value();
  intent.uuids = test::uuids(1);
  intent.settings = {{"disable_vnc", "1"}, {"frame_rate_limiter", "0"}};
  const auto plan = plan_slices(test::host_with(vendor_card(1)), intent).value();
  const auto& forward = plan.operations.front().forward;
  ASSERT_EQ(forward.size(), 2U);
  EXPECT_EQ(forward[1].path, "/sys/bus/pci/devices/0000:26:00.4/nvidia/vgpu_params");
  EXPECT_EQ(forward[1].text, "disable_vnc=1,frame_rate_limiter=0");
  EXPECT_EQ(forward[1].then.front().value, forward[1].text) << "read back";
}

model::SliceSource plain_functions(int total, int enabled) {
  model::SliceSource source;
  source.framework = model::Framework::sriov;
  source.device = "0000:0c:00.0";
  source.driver = "gim";
  source.vf_total = total;
  source.vf_enabled = enabled;
  source.vf_autoprobe = true;
  for (int i = 0; i < enabled; ++i) {
    model::Slice slice;
    slice.identity = slice.parent = fmt::format("0000:0c:02.{}", i);
    slice.framework = source.framework;
    slice.type = slice.name = "vf";
    source.slices.push_back(slice);
  }
  return source;
}

TEST(Cutting, plain_virtual_functions_are_turned_on_with_the_hosts_driver_kept_off) {
  const auto plan = cut(plain_functions(8, 0), "3xvf");
  ASSERT_TRUE(plan.has_value()) << plan.error().sentence;
  const auto& op = plan->operations.front();
  EXPECT_EQ(op.kind, "vfs.enable");
  ASSERT_EQ(op.forward.size(), 2U);
  EXPECT_EQ(op.forward[0].path, "/sys/bus/pci/devices/0000:0c:00.0/sriov_drivers_autoprobe");
  EXPECT_EQ(op.forward[0].text, "0");
  EXPECT_EQ(op.forward[1].path, "/sys/bus/pci/devices/0000:0c:00.0/sriov_numvfs");
  EXPECT_EQ(op.forward[1].text, "3");
  EXPECT_EQ(op.undo.front().text, "0");
  EXPECT_EQ(op.undo.back().text, "1") << "autoprobe is put back";
}

TEST(Cutting, virtual_functions_are_never_added_to_some_that_are_on) {
  EXPECT_EQ(cut(plain_functions(8, 2), "3xvf").error().kind, ErrorKind::conflict);
  EXPECT_EQ(cut(plain_functions(8, 0), "9xvf").error().kind, ErrorKind::conflict);
}

TEST(Cutting, on_an_nvidia_card_lets_its_tool_turn_all_virtual_functions_on) {
  auto source = plain_functions(16, 0);
  source.driver = "nvidia";
  source.vf_autoprobe = true;
  const auto plan = cut(source, "1x4G");
  ASSERT_TRUE(plan) << one_line(plan.error());
  EXPECT_TRUE(plan->more) << "what can be made on them shows only then";
  ASSERT_EQ(plan->operations.size(), 1U);
  const auto& op = plan->operations[0];
  ASSERT_EQ(op.forward.size(), 1U) << "autoprobe is the tool's affair";
  EXPECT_EQ(in_words(op.forward[0]), "run /usr/lib/nvidia/sriov-manage -e 0000:0c:00.0");
  EXPECT_EQ(op.forward[0].then.front().value, "16");
  EXPECT_EQ(in_words(op.undo[0]), "run /usr/lib/nvidia/sriov-manage -d 0000:0c:00.0");
  EXPECT_EQ(op.undo[1].path, "/sys/bus/pci/drivers/nvidia/bind") << "if the tool left it without";
  EXPECT_EQ(op.undo[1].only_if.front().value, "");
}

TEST(Availability, of_an_nvidia_card_whose_functions_are_off_is_not_known_yet) {
  auto source = plain_functions(16, 0);
  source.driver = "nvidia";
  model::Profile profile;
  profile.type = "vf";
  source.profiles = {profile};
  const auto all = availability_of(source);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].now, 0);
  EXPECT_NE(all[0].why_not.find("sriov-manage"), std::string::npos);
}

TEST(Unslicing, removes_by_name_and_remakes_by_the_same_name_on_undo) {
  auto source = test::v100();
  test::put(source, "nvidia-113", 1);
  const auto uuid = source.slices[0].identity;
  const auto plan = plan_unslice(test::host_with(source), {.slices = {uuid}, .devices = {}});
  ASSERT_TRUE(plan.has_value()) << plan.error().sentence;
  const auto& op = plan->operations.front();
  EXPECT_EQ(op.kind, "slice.remove");
  EXPECT_EQ(op.forward[0].path, "/sys/bus/mdev/devices/" + uuid + "/remove");
  EXPECT_EQ(op.undo[0].text, uuid);
  EXPECT_EQ(op.undo[0].path,
            "/sys/bus/pci/devices/0000:3b:00.0/mdev_supported_types/nvidia-113/create");
}

TEST(Unslicing, of_a_slice_that_is_open_names_who_has_it) {
  auto source = test::v100();
  test::put(source, "nvidia-113", 1);
  source.slices[0].users = {{4711, "qemu-system-x86", "machine-a.scope", "/dev/vfio/12"}};
  const auto plan =
      plan_unslice(test::host_with(source), {.slices = {source.slices[0].identity}, .devices = {}});
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().kind, ErrorKind::busy);
  EXPECT_NE(plan.error().sentence.find("qemu-system-x86 (pid 4711, machine-a.scope)"),
            std::string::npos);
}

TEST(Unslicing, all_of_a_card_takes_each_slice_or_its_virtual_functions_at_once) {
  auto source = test::v100();
  test::put(source, "nvidia-106", 3);
  const auto many = plan_unslice(test::host_with(source), {.slices = {}, .devices = {"3b:00.0"}});
  ASSERT_TRUE(many.has_value()) << many.error().sentence;
  EXPECT_EQ(many->operations.size(), 3U);
  const auto functions =
      plan_unslice(test::host_with(plain_functions(8, 2)), {.slices = {}, .devices = {"0c:00.0"}});
  ASSERT_TRUE(functions.has_value());
  ASSERT_EQ(functions->operations.size(), 1U);
  EXPECT_EQ(functions->operations[0].kind, "vfs.disable");
}

TEST(Unslicing, one_virtual_function_alone_is_refused) {
  const auto plan =
      plan_unslice(test::host_with(plain_functions(8, 2)), {.slices = {"0c:02.1"}, .devices = {}});
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().kind, ErrorKind::unsupported);
}

TEST(Availability, tells_the_reason_for_each_profile_that_cannot_be_made) {
  auto source = test::v100();
  test::put(source, "nvidia-108", 2);  // 8Q: full
  for (const auto& one : availability_of(source)) {
    EXPECT_EQ(one.now, 0);
    const bool same = one.profile->framebuffer_bytes == model::Reading<std::uint64_t>(8 * gib);
    EXPECT_NE(one.why_not.find(same ? "they fill the card" : "all slices of a card have one size"),
              std::string::npos)
        << one.profile->name << ": " << one.why_not;
  }
}

model::SliceSource gvt(std::vector<int> counts) {
  model::SliceSource source;
  source.framework = model::Framework::gvt_g;
  source.device = "0000:00:02.0";
  source.parents.resize(1);
  constexpr std::pair<std::uint64_t, std::uint64_t> sizes[] = {
      {64, 384}, {128, 512}, {256, 1024}, {512, 2048}};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    model::Profile profile;
    profile.type = fmt::format("i915-GVTg_V5_{}", 8 >> i);
    profile.gvt = model::GvtShare{sizes[i].first * mib, sizes[i].second * mib, 4, 1};
    source.profiles.push_back(profile);
    source.parents[0].creatable.push_back({profile.type, counts[i]});
  }
  return source;
}

TEST(GvtAperture, is_the_one_that_explains_what_the_kernel_counts) {
  EXPECT_EQ(gvt_aperture(gvt({7, 5, 2, 1})), 1024 * mib);
  EXPECT_EQ(gvt_aperture(gvt({2, 1})), 256 * mib);
  EXPECT_EQ(gvt_aperture(gvt({3, 3, 3, 3})), 0U);
}

TEST(MixedPlacements, are_those_that_nvidias_manager_uses) {
  using Starts = std::vector<int>;
  EXPECT_EQ(halving_starts(48, 8), (Starts{0, 16, 24, 40}));
  EXPECT_EQ(halving_starts(24, 4), (Starts{0, 8, 12, 20}));
  EXPECT_EQ(halving_starts(48, 1),
            (Starts{0, 5, 6, 11, 12, 17, 18, 23, 24, 29, 30, 35, 36, 41, 42, 47}));
  EXPECT_EQ(halving_starts(40, 20), (Starts{0, 20}));
  EXPECT_EQ(halving_starts(16, 16), (Starts{0}));
  EXPECT_EQ(halving_starts(16, 17), (Starts{}));
}

}  // namespace
}  // namespace tessera::plan::slices
