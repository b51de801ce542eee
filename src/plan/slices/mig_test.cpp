// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/mig.h"

#include <gtest/gtest.h>

#include "plan/slices/availability.h"
#include "plan/slices/room.h"
#include "plan/slices/test_source.h"

namespace tessera::plan::slices {
namespace {

using model::Framework;
using model::GpuInstanceProfile;
using model::Plan;
using model::SliceSource;

model::Profile a100_type(const char* number, const char* name, int most) {
  model::Profile profile;
  profile.type = number;
  profile.max_instances = most;
  model::take_nvidia_name(name, profile);
  return profile;
}

/// An A100 with 40 GB and eight virtual functions, in MIG mode, without GPU instances.
SliceSource a100() {
  SliceSource source;
  source.framework = Framework::vendor_vfio;
  source.card = model::PciAddress{0, 0x41, 0, 0};
  source.device = "0000:41:00.0";
  source.driver = "nvidia";
  source.vf_total = 8;
  source.vf_enabled = 8;
  source.mig = true;
  source.profiles = {a100_type("469", "GRID A100-5C", 8), a100_type("474", "GRID A100-1-5C", 7),
                     a100_type("476", "GRID A100-3-20C", 2),
                     a100_type("706", "GRID A100-1-5CME", 1),
                     a100_type("1053", "GRID A100-1-10C", 4)};
  source.gpu_instance_profiles = {{19, "1g.5gb", 1, 5 * gib, 7, 1, {0, 1, 2, 3, 4, 5, 6}},
                                  {20, "1g.5gb+me", 1, 5 * gib, 1, 1, {0, 1, 2, 3, 4, 5, 6}},
                                  {15, "1g.10gb", 1, 10 * gib, 4, 2, {0, 2, 4, 6}},
                                  {9, "3g.20gb", 3, 20 * gib, 2, 4, {0, 4}}};
  for (int i = 0; i < 8; ++i) {
    model::SliceParent parent;
    parent.device = fmt::format("0000:41:00.{}", i + 4);
    parent.sysfs_path = kernel::files::pci_device(parent.device);
    source.parents.push_back(std::move(parent));
  }
  return source;
}

/// A vGPU in a GPU instance that holds nothing else.
void stand_in(SliceSource& source, std::size_t function, const char* type, int instance) {
  model::Slice slice;
  slice.identity = slice.parent = source.parents[function].device;
  slice.framework = source.framework;
  slice.type = type;
  slice.name = source.profile(type)->name;
  slice.gpu_instance = instance;
  source.slices.push_back(std::move(slice));
}

Result<Plan> cut_mig(SliceSource source, const char* wanted) {
  SliceIntent intent;
  intent.devices = {source.device};
  intent.wishes = parse_request(wanted).value();
  intent.uuids = test::uuids(64);
  return plan_slices(test::host_with(std::move(source)), intent);
}

std::vector<std::string> arguments_of(const Plan& plan) {
  std::vector<std::string> all;
  for (const auto& op : plan.operations) all.push_back(op.forward.front().text);
  return all;
}

std::string kind_name(const SliceSource& source, const char* type) {
  const auto* const kind = instance_kind(source, *source.profile(type));
  return kind ? kind->name : "none";
}

TEST(Mig, a_type_stands_in_the_smallest_instance_of_its_slices_and_engines) {
  const auto source = a100();
  EXPECT_EQ(kind_name(source, "474"), "1g.5gb");
  EXPECT_EQ(kind_name(source, "706"), "1g.5gb+me");
  EXPECT_EQ(kind_name(source, "1053"), "1g.10gb");
  EXPECT_EQ(kind_name(source, "476"), "3g.20gb");
  EXPECT_EQ(kind_name(source, "469"), "none") << "it is not MIG-backed";
  SliceSource drawing = source;
  drawing.profiles = {a100_type("1", "NVIDIA RTX PRO 6000 Blackwell DC-1-8Q", 12),
                      a100_type("2", "NVIDIA RTX PRO 6000 Blackwell DC-1-24C", 4)};
  drawing.gpu_instance_profiles = {{14, "1g.24gb", 1, 24 * gib, 4, 1, {0, 1, 2, 3}},
                                   {47, "1g.24gb+gfx", 1, 24 * gib, 4, 1, {0, 1, 2, 3}}};
  EXPECT_EQ(kind_name(drawing, "1"), "1g.24gb+gfx");
  EXPECT_EQ(kind_name(drawing, "2"), "1g.24gb");
  const auto room = room_of(drawing);
  EXPECT_EQ(room.gpu_instances[1].max_slices, 3) << "12 on the card, in 4 instances";
  EXPECT_EQ(room.gpu_instances[0].max_slices, 1);
}

TEST(Mig, missing_instances_are_made_first_where_the_layout_puts_them) {
  const auto plan = cut_mig(a100(), "2xA100-1-5C+1xA100-3-20C");
  ASSERT_TRUE(plan) << one_line(plan.error());
  EXPECT_TRUE(plan->more) << "the driver lists types when their instances are there";
  EXPECT_EQ(arguments_of(*plan), (std::vector<std::string>{"mig -i 0000:41:00.0 -cgi 19:0 -C",
                                                           "mig -i 0000:41:00.0 -cgi 19:1 -C",
                                                           "mig -i 0000:41:00.0 -cgi 9:4 -C"}));
}

TEST(Mig, an_instance_is_taken_back_by_the_number_that_it_has_then) {
  const auto source = a100();
  const auto op = make_gpu_instance(source, source.gpu_instance_profiles[3], 4);
  EXPECT_EQ(op.kind, "mig.instance");
  ASSERT_EQ(op.undo.size(), 2U);
  for (const auto& step : op.undo) {
    ASSERT_TRUE(step.word.has_value());
    EXPECT_EQ(step.word->tool, "/usr/bin/nvidia-smi mig -i 0000:41:00.0 -lgi");
    EXPECT_EQ(step.word->pattern, "MIG [^ ]+ +9 +([0-9]+) +4:");
    EXPECT_NE(step.text.find("-gi {}"), std::string::npos);
    EXPECT_FALSE(step.only_if.empty()) << "it may be gone already";
  }
  EXPECT_EQ(op.after_undo, op.before);
}

TEST(Mig, instances_that_are_there_are_used) {
  auto source = a100();
  source.gpu_instances = {{3, 19, 0}};
  source.parents[0].creatable = {{"474", 1}};
  const auto plan = cut_mig(source, "1xA100-1-5C");
  ASSERT_TRUE(plan) << one_line(plan.error());
  ASSERT_EQ(plan->operations.size(), 1U);
  EXPECT_EQ(plan->operations[0].kind, "slice.create");
  EXPECT_EQ(plan->operations[0].uses, std::vector<std::string>{source.device})
      << "or the instance could be taken away under it";
}

TEST(Mig, what_stands_leaves_less_room) {
  auto source = a100();
  source.gpu_instances = {{1, 9, 0}, {2, 19, 4}};
  stand_in(source, 0, "476", 1);
  const auto standing = availability_of(source);
  const auto find = [&](const char* type) {
    return *std::ranges::find_if(standing,
                                 [&](const auto& one) { return one.profile->type == type; });
  };
  EXPECT_EQ(find("474").now, 0);
  EXPECT_EQ(find("474").possible, 3) << "one in the instance at 4, two in new ones at 5 and 6";
  EXPECT_NE(find("474").why_not.find("there is room for 3"), std::string::npos);
  EXPECT_EQ(find("476").possible, 0);
  EXPECT_NE(find("476").why_not.find("1x 1g.5gb, 1x 3g.20gb"), std::string::npos);
  EXPECT_EQ(find("469").why_not, "it is for a card that is not in MIG mode");
  const auto plan = cut_mig(source, "1xA100-3-20C");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::conflict);
  EXPECT_NE(plan.error().hint.find("3x GRID A100-1-5C"), std::string::npos) << plan.error().hint;
}

TEST(Mig, the_mode_comes_first_and_virtual_functions_go_before_it) {
  auto source = a100();
  source.mig = false;
  source.gpu_instance_profiles.clear();
  const auto plan = cut_mig(source, "1xA100-3-20C+1xA100-1-5C");
  ASSERT_TRUE(plan) << one_line(plan.error());
  ASSERT_EQ(plan->operations.size(), 2U);
  EXPECT_EQ(plan->operations[0].kind, "vfs.disable");
  EXPECT_EQ(plan->operations[1].kind, "mig.mode");
  EXPECT_EQ(plan->operations[1].forward[0].text, "-i 0000:41:00.0 -mig 1");
  EXPECT_TRUE(plan->more);
  source.vf_enabled = 0;
  source.parents.clear();
  EXPECT_EQ(cut_mig(source, "1xA100-3-20C").value().operations.size(), 1U);
}

TEST(Mig, the_mode_is_left_alone_where_others_grant_it_or_something_stands) {
  auto source = a100();
  source.mig = false;
  source.gpu_instance_profiles.clear();
  source.parents[0].creatable = {{"469", 1}};
  const auto without = cut_mig(source, "1x5C");
  ASSERT_TRUE(without) << one_line(without.error());
  EXPECT_EQ(without->operations.front().kind, "slice.create") << "A100-5C needs no MIG";
  const auto both = cut_mig(source, "1xA100-1-5C+1xA100-5C");
  ASSERT_FALSE(both);
  EXPECT_NE(both.error().sentence.find("beside it a card has MIG-backed slices only"),
            std::string::npos);
  stand_in(source, 0, "469", 0);
  const auto plan = cut_mig(source, "1xA100-1-5C");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::conflict);
  EXPECT_NE(plan.error().sentence.find("MIG mode changes only on an empty card"),
            std::string::npos);
}

}  // namespace
}  // namespace tessera::plan::slices
