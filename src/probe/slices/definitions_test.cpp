// SPDX-License-Identifier: Apache-2.0
#include "probe/slices/definitions.h"

#include <gtest/gtest.h>

#include "kernel/test_root.h"
#include "probe/inline_host.h"

namespace tessera::probe {
namespace {

constexpr const char* one = "83c32df7-d52e-4ec1-9668-1f3c7e4df107";
constexpr const char* two = "7773ffff-d52e-4ec1-9668-1f3c7e4df107";
constexpr const char* good = R"({"mdev_type":"nvidia-300","start":"auto","attrs":[]})";

std::string at(const std::string& parent, const std::string& name) {
  return "/etc/mdevctl.d/" + parent + "/" + name;
}

TEST(MdevDefinitions, are_read_by_parent_and_a_broken_one_stops_none_of_the_others) {
  TestDirectory host;
  host.file(at("0000:3b:00.4", one), good);
  host.file(at("0000:3b:00.4", two), "mdev_type=nvidia-300");
  host.file(at("mdpy", one), good);
  host.file(at("mdpy", "notes.txt"), "why this one");
  auto files = read_mdev_definitions(kernel::open_or_die(host.real()));
  ASSERT_TRUE(files.has_value());
  ASSERT_EQ(files.value().size(), 4U);
  const auto& broken = files.value()[0];
  EXPECT_EQ(broken.path, at("0000:3b:00.4", two));
  ASSERT_FALSE(broken.definition);
  EXPECT_EQ(broken.definition.error().subject, broken.path + ":1:1");
  EXPECT_EQ(broken.text, "mdev_type=nvidia-300");
  const auto& first = files.value()[1];
  ASSERT_TRUE(first.definition);
  EXPECT_EQ(first.definition->parent, "0000:3b:00.4");
  EXPECT_EQ(to_string(first.definition->uuid), one);
  EXPECT_EQ(first.text, good);
  ASSERT_TRUE(files.value()[2].definition);
  EXPECT_EQ(files.value()[2].definition->parent, "mdpy");
  ASSERT_FALSE(files.value()[3].definition);
  EXPECT_EQ(files.value()[3].definition.error().sentence,
            "its name is no UUID: a UUID has 36 characters, this has 9");
}

TEST(MdevDefinitions, are_not_looked_for_among_mdevctls_scripts_and_hidden_files) {
  TestDirectory host;
  host.file("/etc/mdevctl.d/scripts.d/callouts/log.sh", "#!/bin/sh\n");
  host.file("/etc/mdevctl.d/callouts.d/10-x", "#!/bin/sh\n");
  host.file("/etc/mdevctl.d/README", "words");
  host.file(at("mdpy", ".half-written"), "{");
  auto files = read_mdev_definitions(kernel::open_or_die(host.real()));
  ASSERT_TRUE(files.has_value());
  EXPECT_TRUE(files.value().empty());
}

TEST(MdevDefinitions, with_a_name_in_upper_case_keep_their_path) {
  TestDirectory host;
  host.file(at("mdpy", "83C32DF7-D52E-4EC1-9668-1F3C7E4DF107"), good);
  auto files = read_mdev_definitions(kernel::open_or_die(host.real()));
  ASSERT_TRUE(files.has_value() && files.value().size() == 1);
  EXPECT_EQ(files.value()[0].path, at("mdpy", "83C32DF7-D52E-4EC1-9668-1F3C7E4DF107"));
  ASSERT_TRUE(files.value()[0].definition);
  EXPECT_EQ(to_string(files.value()[0].definition->uuid), one);
}

TEST(MdevDefinitions, that_cannot_be_read_say_why) {
  auto root = inline_host("/etc/mdevctl.d/mdpy/" + std::string(one) + "\t" + good +
                          "\nunreadable/etc/mdevctl.d/mdpy/" + one + "\tEACCES\n");
  auto files = read_mdev_definitions(root);
  ASSERT_TRUE(files.has_value() && files.value().size() == 1);
  ASSERT_FALSE(files.value()[0].definition);
  EXPECT_EQ(files.value()[0].definition.error().kind, ErrorKind::denied);
  auto closed = inline_host("/etc/mdevctl.d\t@dir\nunreadable/etc/mdevctl.d\tEACCES\n");
  EXPECT_TRUE(read_mdev_definitions(closed).is_unreadable());
}

TEST(MdevDefinitions, are_absent_where_the_folder_is) {
  EXPECT_TRUE(read_mdev_definitions(inline_host("/sys/x\t1\n")).is_absent());
}

TEST(HostFile, is_read_where_it_is_and_a_mistake_has_its_place) {
  TestDirectory host;
  auto root = kernel::open_or_die(host.real());
  auto none = read_host_file(root);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
  host.file("/etc/tessera/host.yaml",
            "slices:\n  - {card: 0000:03:00.0, framework: xe, vf: 1, quotas: {vram: 4 GiB}}\n");
  auto some = read_host_file(root);
  ASSERT_TRUE(some && some->has_value()) << one_line(some.error());
  ASSERT_EQ((*some)->slices.size(), 1U);
  EXPECT_EQ((*some)->slices[0].card, "0000:03:00.0");
  host.file("/etc/tessera/host.yaml", "slice: []\n");
  auto wrong = read_host_file(root);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(one_line(wrong.error()), "/etc/tessera/host.yaml:1:1: unknown key 'slice'");
  EXPECT_EQ(wrong.error().hint, "did you mean 'slices'?");
}

TEST(FileState, holds_the_text_or_the_folders_that_are_missing) {
  TestDirectory host;
  host.file(at("mdpy", one), "text\n");
  auto root = kernel::open_or_die(host.real());
  auto there = read_file_state(root, at("mdpy", one));
  ASSERT_TRUE(there);
  EXPECT_EQ(*there, (model::FileState{at("mdpy", one), "text\n", {}}));
  auto beside = read_file_state(root, at("mdpy", two));
  ASSERT_TRUE(beside);
  EXPECT_EQ(*beside, (model::FileState{at("mdpy", two), std::nullopt, {}}));
  auto far = read_file_state(root, "/etc/tessera/slices/host.yaml");
  ASSERT_TRUE(far);
  EXPECT_EQ(far->missing_folders,
            (std::vector<std::string>{"/etc/tessera/slices", "/etc/tessera"}));
  auto folder = read_file_state(root, "/etc/mdevctl.d/mdpy");
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace tessera::probe
