// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/defined.h"

#include <gtest/gtest.h>

#include "plan/slices/test_source.h"

namespace tessera::plan::slices {
namespace {

using Start = model::MdevDefinition::Start;

model::MdevDefinitionFile written_down(const std::string& uuid, const char* type,
                                       const char* parent = "0000:3b:00.0") {
  model::MdevDefinition definition{parse_uuid(uuid).value(), parent, type, Start::automatic, {}};
  return {"/etc/mdevctl.d/" + uuid, parent, "", definition};
}

TEST(DefinedSlices, are_beside_what_stands) {
  auto source = test::v100();
  test::put(source, "nvidia-113", 1);
  const auto& there = source.slices[0].identity;
  const std::string elsewhere = "aaaaaaaa-2222-4333-8444-000000000001";
  const auto all = definitions_on(
      test::host_with(source),
      {{written_down(there, "nvidia-113"), written_down(there, "nvidia-113", "0000:99:00.0"),
        written_down(elsewhere, "nvidia-112")},
       {}});
  ASSERT_EQ(all.slices.size(), 3U);
  EXPECT_TRUE(all.slices[0].stands);
  EXPECT_EQ(all.slices[0].name, "GRID V100-8C");
  EXPECT_FALSE(all.slices[1].stands) << "on another parent";
  EXPECT_EQ(all.slices[1].name, "nvidia-113") << "a parent that is not there names no types";
  EXPECT_FALSE(all.slices[2].stands);
  EXPECT_EQ(all.slices[2].file, "/etc/mdevctl.d/0000:3b:00.0/" + elsewhere);
  EXPECT_EQ(all.standing(there), &all.slices[0]);
  EXPECT_EQ(all.standing(elsewhere), nullptr);
}

TEST(DefinedSlices, one_of_another_type_is_not_what_is_defined) {
  auto source = test::v100();
  test::put(source, "nvidia-113", 1);
  const auto& there = source.slices[0].identity;
  const auto all =
      definitions_on(test::host_with(source), {{written_down(there, "nvidia-112")}, {}});
  EXPECT_FALSE(all.slices.at(0).stands);
}

TEST(DefinedSlices, broken_definitions_are_told_and_hide_none) {
  auto broken = written_down("aaaaaaaa-2222-4333-8444-000000000001", "nvidia-113");
  broken.definition = fail(ErrorKind::invalid, "x:1:1", "is no JSON");
  const auto good = written_down("aaaaaaaa-2222-4333-8444-000000000002", "nvidia-113");
  const auto all = definitions_on(test::host_with(test::v100()), {{broken, good}, {}});
  ASSERT_EQ(all.broken.size(), 1U);
  EXPECT_EQ(one_line(all.broken[0]), "x:1:1: is no JSON");
  EXPECT_EQ(all.slices.size(), 1U);
}

TEST(DefinedSlices, virtual_functions_have_their_address_while_there_is_one) {
  auto source = test::v100();
  source.framework = model::Framework::sriov;
  model::Slice function;
  function.identity = source.device;
  function.parent = source.device;
  function.framework = source.framework;
  source.slices = {function};
  model::HostSlice entry;
  entry.card = source.device;
  entry.framework = source.framework;
  model::HostSlice further = entry;
  further.vf = 7;
  const auto all = definitions_on(test::host_with(source), {{}, {{entry, further}}});
  ASSERT_EQ(all.slices.size(), 2U);
  EXPECT_EQ(all.slices[0].slice, source.device);
  EXPECT_TRUE(all.slices[0].stands);
  EXPECT_EQ(all.slices[1].slice, "0000:3b:00.0 vf 7");
  EXPECT_FALSE(all.slices[1].stands);
}

}  // namespace
}  // namespace tessera::plan::slices
