// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/restore.h"

#include <gtest/gtest.h>

#include "plan/slices/test_source.h"

namespace tessera::plan::slices {
namespace {

const std::string wanted_uuid = "aaaaaaaa-2222-4333-8444-000000000001";

model::MdevDefinitionFile defined(const std::string& uuid, const char* type,
                                  const char* parent = "0000:3b:00.0") {
  model::MdevDefinition definition{
      parse_uuid(uuid).value(), parent, type, model::MdevDefinition::Start::automatic, {}};
  return {"/etc/mdevctl.d/" + uuid, parent, "", definition};
}

/// Two virtual functions of an L40S on which 8Q or nothing can be made.
model::SliceSource l40s() {
  model::SliceSource source;
  source.framework = model::Framework::vendor_vfio;
  source.card = model::PciAddress{0, 0x41, 0, 0};
  source.device = "0000:41:00.0";
  source.driver = "nvidia";
  model::Profile profile;
  profile.type = "1152";
  profile.name = "NVIDIA L40S-8Q";
  source.profiles = {profile};
  for (const char* device : {"0000:41:00.4", "0000:41:00.5"}) {
    model::SliceParent parent;
    parent.device = device;
    parent.sysfs_path = kernel::files::pci_device(device);
    parent.creatable = {{"1152", 1}};
    source.parents.push_back(parent);
  }
  return source;
}

model::HostSlice vgpu(int vf, const char* type) {
  model::HostSlice slice;
  slice.card = "0000:41:00.0";
  slice.vf = vf;
  slice.type = type;
  return slice;
}

TEST(Restoring, makes_what_is_missing_by_its_own_name_and_with_its_attributes) {
  auto file = defined(wanted_uuid, "nvidia-113");
  file.definition->attrs = {{"nvidia/vgpu_params", "frame_rate_limiter=0"}};
  const auto restore = plan_restore(test::host_with(test::v100()), {{file}, {}});
  EXPECT_TRUE(restore.problems.empty());
  ASSERT_EQ(restore.plans.size(), 1U);
  EXPECT_EQ(restore.plans[0].title, "make the defined slice " + wanted_uuid);
  const auto& op = restore.plans[0].operations.at(0);
  EXPECT_EQ(op.forward.at(0).text, wanted_uuid);
  EXPECT_EQ(op.forward.at(1).text, "frame_rate_limiter=0");
  EXPECT_EQ(op.forward.at(1).path, "/sys/bus/mdev/devices/" + wanted_uuid + "/nvidia/vgpu_params");
}

TEST(Restoring, leaves_alone_what_is_there_or_waits_to_be_asked_for) {
  auto manual = defined(wanted_uuid, "nvidia-113");
  manual.definition->start = model::MdevDefinition::Start::manual;
  auto source = test::v100();
  test::put(source, "nvidia-113", 1);
  const auto there = defined(source.slices[0].identity, "nvidia-113");
  const auto restore = plan_restore(test::host_with(source), {{manual, there}, {}});
  EXPECT_TRUE(restore.plans.empty());
  EXPECT_TRUE(restore.problems.empty());
}

TEST(Restoring, one_problem_stops_none_of_the_others) {
  auto source = test::v100();
  test::put(source, "nvidia-113", 1);
  auto broken = defined(wanted_uuid, "nvidia-113");
  broken.definition = fail(ErrorKind::invalid, "x:1:1", "is no JSON");
  const auto restore = plan_restore(
      test::host_with(source),
      {{broken, defined(wanted_uuid, "nvidia-113", "0000:99:00.0"),
        defined(wanted_uuid, "nvidia-1"), defined(wanted_uuid, "nvidia-107"),
        defined(source.slices[0].identity, "nvidia-107"), defined(wanted_uuid, "nvidia-113")},
       {}});
  ASSERT_EQ(restore.problems.size(), 5U);
  const char* const words[] = {"is no JSON", "its parent 0000:99:00.0 is not there",
                               "has no type nvidia-1", "there is no room for",
                               "stands there, not the nvidia-107"};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NE(restore.problems[i].find(words[i]), std::string::npos) << restore.problems[i];
  }
  EXPECT_EQ(restore.plans.size(), 1U);
}

TEST(Restoring, counts_what_it_takes_itself) {
  auto source = test::v100();
  const auto second = "aaaaaaaa-2222-4333-8444-000000000002";
  const auto restore =
      plan_restore(test::host_with(source),
                   {{defined(wanted_uuid, "nvidia-114"), defined(second, "nvidia-114")}, {}});
  EXPECT_EQ(restore.plans.size(), 1U);
  EXPECT_EQ(restore.problems.size(), 1U) << "one slice of 16 GiB fits";
}

TEST(Restoring, vgpus_go_to_their_own_functions_by_name_or_number) {
  const auto restore = plan_restore(
      test::host_with(l40s()),
      {{}, {{vgpu(1, "NVIDIA L40S-8Q"), vgpu(0, "1152"), vgpu(7, "1152"), vgpu(1, "99")}}});
  ASSERT_EQ(restore.plans.size(), 2U);
  EXPECT_EQ(restore.plans[0].operations.at(0).subject, "0000:41:00.5");
  EXPECT_EQ(restore.plans[1].operations.at(0).subject, "0000:41:00.4");
  EXPECT_EQ(restore.problems.size(), 2U);
}

TEST(Restoring, functions_that_are_off_come_on_first) {
  auto off = l40s();
  off.framework = model::Framework::sriov;
  off.parents.clear();
  off.profiles.clear();
  off.vf_total = 32;
  off.vf_enabled = 0;
  const auto restore = plan_restore(test::host_with(off), {{}, {{vgpu(0, "1152")}}});
  ASSERT_EQ(restore.plans.size(), 1U);
  EXPECT_EQ(in_words(restore.plans[0].operations.at(0).forward.at(0)),
            "run /usr/lib/nvidia/sriov-manage -e 0000:41:00.0");
}

TEST(Restoring, quotas_are_set_before_the_functions_come) {
  model::SliceSource card;
  card.framework = model::Framework::xe;
  card.card = model::PciAddress{0, 3, 0, 0};
  card.device = "0000:03:00.0";
  card.driver = "xe";
  card.vf_total = 4;
  card.vf_enabled = 0;
  card.quotas = {{"/sys/q1", "vf2/vram_quota", std::string("0")},
                 {"/sys/q2", "vf2/exec_quantum_ms", std::string("5")}};
  model::HostSlice slice;
  slice.card = card.device;
  slice.framework = model::Framework::xe;
  slice.vf = 1;
  slice.quotas.vram_bytes = gib;
  slice.quotas.exec_quantum_ms = 20;
  auto restore = plan_restore(test::host_with(card), {{}, {{slice}}});
  ASSERT_EQ(restore.plans.size(), 1U);
  const auto& operations = restore.plans[0].operations;
  ASSERT_EQ(operations.size(), 3U);
  EXPECT_EQ(in_words(operations[0].forward.at(0)), "write '1073741824' to /sys/q1");
  EXPECT_EQ(operations[1].undo.at(0).text, "5");
  EXPECT_EQ(operations[2].kind, "vfs.enable");
  EXPECT_EQ(operations[2].after.at(0).value, "2");
  slice.quotas.ggtt_bytes = mib;
  restore = plan_restore(test::host_with(card), {{}, {{slice}}});
  EXPECT_EQ(restore.problems.at(0), "0000:03:00.0 vf 1: 0000:03:00.0 has no file vf2/ggtt_quota");
}

TEST(Restoring, the_number_of_functions_that_are_on_does_not_change) {
  model::SliceSource card;
  card.framework = model::Framework::sriov;
  card.card = model::PciAddress{0, 3, 0, 0};
  card.device = "0000:03:00.0";
  card.vf_total = 4;
  card.slices.resize(1);
  model::HostSlice slice;
  slice.card = card.device;
  slice.framework = model::Framework::sriov;
  slice.vf = 0;
  EXPECT_TRUE(plan_restore(test::host_with(card), {{}, {{slice}}}).problems.empty());
  slice.vf = 1;
  EXPECT_EQ(plan_restore(test::host_with(card), {{}, {{slice}}}).problems.size(), 1U);
  card.slices.clear();
  slice.vf = 4;
  EXPECT_EQ(plan_restore(test::host_with(card), {{}, {{slice}}}).problems.at(0),
            "0000:03:00.0: it has 4 virtual functions at most");
}

}  // namespace
}  // namespace tessera::plan::slices
