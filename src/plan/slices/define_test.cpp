// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/define.h"

#include <gtest/gtest.h>

#include "plan/slices/definitions.h"
#include "plan/slices/test_source.h"

namespace tessera::plan::slices {
namespace {

using model::MdevDefinition;
using Start = model::MdevDefinition::Start;

const std::string there_uuid = "00000000-0000-4000-8000-000000000000";
const std::string absent_uuid = "83c32df7-d52e-4ec1-9668-1f3c7e4df107";

/// A V100 with one 4Q, `there_uuid`, as a mediated device.
model::HostSnapshot with_mdev(const std::string& settings = {}) {
  auto source = test::v100();
  test::put(source, "nvidia-107", 1);
  if (!settings.empty()) source.slices[0].settings = settings;
  return test::host_with(std::move(source));
}

/// A card with two virtual functions, a vGPU on the second.
model::HostSnapshot with_vgpu() {
  model::SliceSource source;
  source.framework = model::Framework::vendor_vfio;
  source.card = model::PciAddress{0, 0x41, 0, 0};
  source.device = "0000:41:00.0";
  source.parents.resize(2);
  source.parents[0].device = "0000:41:00.4";
  source.parents[1].device = "0000:41:00.5";
  model::Slice slice;
  slice.identity = slice.parent = "0000:41:00.5";
  slice.framework = source.framework;
  slice.type = "1152";
  slice.name = "NVIDIA L40S-8Q";
  slice.settings = std::string("frame_rate_limiter=0, disable_vnc=1");
  source.slices = {slice};
  auto host = test::host_with(std::move(source));
  model::Card card;
  card.identity = "10de:26b9@0000/26.0/00.0";
  card.address = {0, 0x41, 0, 0};
  card.functions = {card.address};
  host.cards = {card};
  return host;
}

FoundSlice found(const model::HostSnapshot& host) {
  return {&host.slice_sources.front(), &host.slice_sources.front().slices.front()};
}

MdevDefinition wanted(const std::string& uuid, const std::string& parent = "0000:3b:00.0") {
  return {*parse_uuid(uuid), parent, "nvidia-107", Start::automatic, {}};
}

model::MdevDefinitionFile file(const MdevDefinition& definition) {
  return {file_of(definition), definition.parent, mdevctl_file(definition), definition};
}

TEST(DefinitionOf, a_mediated_device_is_a_file_of_mdevctls) {
  const auto host = with_mdev("frame_rate_limiter=0");
  auto definition = definition_of(host, found(host), Start::automatic);
  ASSERT_TRUE(definition);
  auto expected = wanted(there_uuid);
  expected.attrs = {{"nvidia/vgpu_params", "frame_rate_limiter=0"}};
  EXPECT_EQ(std::get<MdevDefinition>(*definition), expected);
  EXPECT_EQ(file_of(*definition), "/etc/mdevctl.d/0000:3b:00.0/" + there_uuid);
  auto operations = define({file_of(*definition), std::nullopt, {}}, *definition);
  ASSERT_TRUE(operations && operations->size() == 1);
  EXPECT_EQ(operations->front().forward.at(0).text, mdevctl_file(expected));
}

TEST(DefinitionOf, a_vgpu_on_a_virtual_function_is_an_entry_of_the_host_file) {
  const auto host = with_vgpu();
  auto definition = definition_of(host, found(host), Start::manual);
  ASSERT_TRUE(definition);
  const auto& entry = std::get<model::HostSlice>(*definition);
  EXPECT_EQ(entry.card, "10de:26b9@0000/26.0/00.0");
  EXPECT_EQ(entry.vf, 1);
  EXPECT_EQ(entry.type, "NVIDIA L40S-8Q");
  EXPECT_EQ(vgpu_params(entry.settings), "frame_rate_limiter=0,disable_vnc=1");
  EXPECT_EQ(entry.start, Start::manual);
  EXPECT_EQ(file_of(*definition), "/etc/tessera/host.yaml");
  auto operations = define({file_of(*definition), std::nullopt, {}}, *definition);
  ASSERT_TRUE(operations && operations->size() == 1);
  EXPECT_EQ(operations->front().forward.at(0).text, model::to_yaml({{entry}}));
}

TEST(FilesOf, a_device_are_all_that_define_it_broken_ones_too) {
  auto broken = file(wanted(absent_uuid, "0000:af:00.0"));
  broken.definition = fail(ErrorKind::invalid, broken.path, "no JSON");
  const DefinitionFiles all = {file(wanted(absent_uuid)), file(wanted(there_uuid)), broken};
  const auto files = files_of(*parse_uuid(absent_uuid), all);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].path, all[0].path);
  EXPECT_EQ(files[1].path, broken.path);
}

TEST(MdevDefinitionOf, is_of_what_stands_before_what_is_written_down) {
  auto other = wanted(there_uuid);
  other.mdev_type = "nvidia-108";
  auto definition = mdev_definition_of(with_mdev(), {file(other)}, there_uuid);
  ASSERT_TRUE(definition);
  EXPECT_EQ(definition->mdev_type, "nvidia-107");
  auto written = mdev_definition_of(with_mdev(), {file(wanted(absent_uuid))}, absent_uuid);
  ASSERT_TRUE(written);
  EXPECT_EQ(*written, wanted(absent_uuid));
}

TEST(MdevDefinitionOf, says_why_there_is_none) {
  const auto error = [](const model::HostSnapshot& host, const DefinitionFiles& all,
                        const std::string& selector) {
    auto definition = mdev_definition_of(host, all, selector);
    EXPECT_FALSE(definition);
    return definition ? Error{} : definition.error();
  };
  EXPECT_EQ(error(with_mdev(), {}, absent_uuid).kind, ErrorKind::not_found);
  EXPECT_EQ(error(with_mdev(), {}, "41:00.4").kind, ErrorKind::not_found);
  EXPECT_EQ(error(with_vgpu(), {}, "41:00.5").kind, ErrorKind::unsupported);
  const DefinitionFiles two = {file(wanted(absent_uuid)),
                               file(wanted(absent_uuid, "0000:af:00.0"))};
  const auto twice = error(with_mdev(), two, absent_uuid);
  EXPECT_EQ(twice.kind, ErrorKind::conflict);
  EXPECT_EQ(twice.sentence,
            "it is defined on 0000:3b:00.0 and on 0000:af:00.0, and stands on neither");
  auto broken = two[0];
  broken.definition = fail(ErrorKind::invalid, broken.path, "no JSON");
  EXPECT_EQ(one_line(error(with_mdev(), {broken}, absent_uuid)), broken.path + ": no JSON");
}

TEST(NotesOn, a_definition_that_fits_are_none) {
  EXPECT_TRUE(notes_on(with_mdev(), {file(wanted(absent_uuid))}, wanted(absent_uuid)).empty());
  EXPECT_TRUE(notes_on(with_mdev(), {}, wanted(there_uuid)).empty());
}

TEST(NotesOn, a_definition_name_what_keeps_the_device_from_being_made) {
  auto host = with_mdev();
  const auto note = [&](const MdevDefinition& definition) {
    return notes_on(host, {}, definition).at(0);
  };
  EXPECT_EQ(note(wanted(absent_uuid, "0000:af:00.0")),
            "0000:af:00.0 is not on this host now: it cannot be made before that has changed");
  model::PciFunction function;
  function.address = {0, 0xaf, 0, 0};
  host.functions = {function};
  EXPECT_EQ(note(wanted(absent_uuid, "0000:af:00.0")),
            "0000:af:00.0 offers no mediated devices now: it cannot be made before that has "
            "changed");
  auto unknown = wanted(absent_uuid);
  unknown.mdev_type = "nvidia-7";
  EXPECT_TRUE(note(unknown).starts_with("0000:3b:00.0 offers no type nvidia-7; it offers nvidia-"));
}

TEST(NotesOn, a_definition_name_others_of_the_same_uuid) {
  auto changed = wanted(there_uuid);
  changed.mdev_type = "nvidia-108";
  EXPECT_EQ(notes_on(with_mdev(), {}, changed).at(0),
            "a nvidia-107 on 0000:3b:00.0 stands under this UUID, and stays as it is");
  EXPECT_EQ(notes_on(with_mdev(), {file(wanted(absent_uuid, "mdpy"))}, wanted(absent_uuid)).at(0),
            "it is defined on mdpy as well; only one of them can be made");
}

}  // namespace
}  // namespace tessera::plan::slices
