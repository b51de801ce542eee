// SPDX-License-Identifier: Apache-2.0
#include "kernel/recording.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace tessera::kernel {
namespace {

Recording parsed(std::string_view text) {
  auto recording = parse_recording(text, "host.tsv");
  EXPECT_TRUE(recording.has_value()) << (recording ? "" : one_line(recording.error()));
  return recording ? std::move(*recording) : Recording{};
}

std::string content(const Tree& tree, std::string_view path) {
  const TreeNode* node = tree.find(path);
  return node == nullptr ? "absent" : node->content;
}

std::string error_of(std::string_view text) {
  auto recording = parse_recording(text, "hosts/a/tree.tsv");
  EXPECT_FALSE(recording.has_value());
  return recording ? "" : one_line(recording.error());
}

TEST(recording, every_recorded_host_parses) {
  int hosts = 0;
  for (const auto& host : std::filesystem::directory_iterator(TESSERA_TESTS_DIR "/hosts")) {
    auto file = host.path() / "tree.tsv";
    if (!std::filesystem::exists(file)) continue;  // written by a generator when it is needed
    std::ifstream stream(file);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    auto recording = parse_recording(text, file.string());
    ASSERT_TRUE(recording.has_value()) << one_line(recording.error());
    EXPECT_NE(recording->tree.find("/sys"), nullptr) << file;
    ++hosts;
  }
  EXPECT_GE(hosts, 21);
}

TEST(recording, values_are_files_links_and_directories) {
  auto [tree, notes, repeated] = parsed("/sys/a\tx\\ty\\\\\\n\n/sys/l\t-> a\n/sys/d\t@dir\n");
  EXPECT_EQ(content(tree, "/sys/a"), "x\ty\\\n");
  EXPECT_EQ(content(tree, "/sys/l"), "x\ty\\\n");
  EXPECT_EQ(tree.find_no_follow("/sys/l")->content, "a");
  EXPECT_EQ(tree.find("/sys/d")->kind, TreeNode::Kind::directory);
  EXPECT_TRUE(notes.empty());
  EXPECT_TRUE(repeated.empty());
}

TEST(recording, binary_files_are_hex_with_the_zeros_at_their_end_left_out) {
  auto [tree, notes, repeated] = parsed("/sys/config\t@hex(6) de1040a0\n/sys/none\t@hex(0) \n");
  EXPECT_EQ(content(tree, "/sys/config"), std::string("\xde\x10\x40\xa0\0\0", 6));
  EXPECT_EQ(content(tree, "/sys/none"), "");
  for (const char* wrong : {"@hex(1) abcd", "@hex(2) abc", "@hex(2) 0xab", "@hex(2)ab",
                            "@hex(x) ab", "@hex(65537) ab"}) {
    EXPECT_NE(error_of(std::string("/sys/config\t") + wrong).find("@hex(SIZE)"), std::string::npos)
        << wrong;
  }
}

TEST(recording, any_content_can_be_written_down_and_read_back) {
  const std::string contents[] = {
      "",         "text\twith\nlines\\",          "@dir", "-> there",
      "@hex(1) ", std::string("\0\x01\xff\0", 4), "\r\n", "caf\xc3\xa9"};
  for (const auto& one : contents) {
    auto [tree, notes, repeated] = parsed("/sys/a\t" + recorded_value(one) + "\n");
    EXPECT_EQ(content(tree, "/sys/a"), one);
  }
  EXPECT_EQ(recorded_value(std::string(65537, '\0')), "@binary(65537)");
}

TEST(recording, comments_blank_lines_and_left_out_bytes_make_no_file) {
  auto recording = parsed("# a comment\n\n/sys/config\t@binary(256)\n/sys/x\t1");
  EXPECT_EQ(recording.tree.find("/sys/config"), nullptr);
  EXPECT_EQ(content(recording.tree, "/sys/x"), "1");
}

TEST(recording, notes_are_kept_and_are_never_files) {
  auto recording = parsed("dmesg\tvfio: one\n/a/resource@bar2\t16M\n/@distances/1\tx\n");
  ASSERT_EQ(recording.notes.size(), 3U);
  EXPECT_EQ(recording.notes[0].key, "dmesg");
  EXPECT_EQ(recording.notes[0].text, "vfio: one");
  EXPECT_EQ(recording.tree.find("/a"), nullptr);
}

TEST(recording, a_file_below_a_link_lands_in_its_target_in_any_order) {
  for (const char* text :
       {"/bus/x/vendor\t0x1\n/bus/x\t-> ../dev/x\n", "/bus/x\t-> ../dev/x\n/bus/x/vendor\t0x1\n"}) {
    auto recording = parsed(text);
    EXPECT_EQ(content(recording.tree, "/dev/x/vendor"), "0x1");
    EXPECT_EQ(recording.tree.canonical("/bus/x/vendor"), "/dev/x/vendor");
  }
}

TEST(recording, a_link_below_a_link_waits_for_the_target) {
  auto recording = parsed("/l/inner\t-> /z\n/l\t-> /dir/sub\n/dir/sub\t-> ../real\n/z\tend\n");
  EXPECT_EQ(content(recording.tree, "/real/inner"), "end");
  EXPECT_EQ(recording.tree.find_no_follow("/dir/sub")->kind, TreeNode::Kind::link);
  EXPECT_TRUE(recording.repeated.empty());
}

TEST(recording, a_path_given_twice_keeps_its_first_value) {
  auto recording = parsed("/a\t1\n/b\t2\n/a\t3\n");
  EXPECT_EQ(content(recording.tree, "/a"), "1");
  ASSERT_EQ(recording.repeated.size(), 1U);
  EXPECT_EQ(recording.repeated[0], "line 3: /a was given in line 1 already");
}

TEST(recording, the_same_file_through_a_link_is_kept_once) {
  auto recording = parsed("/dev/x/id\t1\n/bus/x\t-> /dev/x\n/bus/x/id\t2\n");
  EXPECT_EQ(content(recording.tree, "/dev/x/id"), "1");
  ASSERT_EQ(recording.repeated.size(), 1U);
}

TEST(recording, links_stay_inside_the_tree) {
  auto recording = parsed("/a/up\t-> ../../../../etc\n/etc/x\tinside\n/abs\t-> /etc/x\n");
  EXPECT_EQ(content(recording.tree, "/a/up/x"), "inside");
  EXPECT_EQ(content(recording.tree, "/abs"), "inside");
  EXPECT_EQ(content(recording.tree, "/../../etc/x"), "inside");
}

TEST(recording, errors_name_file_line_and_what_is_wrong) {
  EXPECT_EQ(error_of("/a\t1\n/b 2\n"), "hosts/a/tree.tsv: line 2: there is no TAB after the path");
  EXPECT_NE(error_of("/a\tx\\q").find("line 1: a backslash"), std::string::npos);
  EXPECT_NE(error_of("/a/../b\t1").find("\"..\" piece"), std::string::npos);
  EXPECT_NE(error_of("/a//b\t1").find("empty"), std::string::npos);
  EXPECT_NE(error_of("/a\t-> ").find("leads nowhere"), std::string::npos);
  EXPECT_NE(error_of("\t1").find("path is empty"), std::string::npos);
}

TEST(recording, a_file_where_a_directory_is_needed_is_an_error) {
  EXPECT_NE(error_of("/a\t1\n/a/b\t2\n").find("line 2: /a/b: a file stands"), std::string::npos);
}

TEST(recording, endless_links_are_an_error_and_find_gives_up) {
  EXPECT_NE(error_of("/a\t-> b\n/b\t-> a\n/a/x\t1\n").find("never end"), std::string::npos);
  auto recording = parsed("/a\t-> a\n");
  EXPECT_EQ(recording.tree.find("/a"), nullptr);
  EXPECT_NE(recording.tree.find_no_follow("/a"), nullptr);
}

TEST(recording, too_long_and_too_deep_paths_are_errors) {
  EXPECT_NE(error_of("/" + std::string(5000, 'a') + "\t1").find("4096"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 65; ++i) deep += "/d";
  EXPECT_NE(error_of(deep + "\t1").find("64 pieces"), std::string::npos);
  EXPECT_NE(error_of("/l\t-> " + deep).find("64 pieces"), std::string::npos);
}

TEST(recording, depth_cannot_grow_through_links) {
  std::string forty;
  for (int i = 0; i < 40; ++i) forty += "/d";
  auto text = "/l1\t-> " + forty + "\n/l1/l2\t-> ." + forty + "\n/l1/l2/x\t1\n";
  EXPECT_NE(error_of(text).find("too deep"), std::string::npos);
}

TEST(recording, more_entries_than_the_limit_are_an_error) {
  std::string text;
  for (int i = 0; i < 20000; ++i) {
    text += "/" + std::to_string(i);
    for (int d = 0; d < 60; ++d) text += "/d";
    text += "\t1\n";
  }
  EXPECT_NE(error_of(text).find("entries"), std::string::npos);
}

TEST(recording, what_is_written_is_read_again) {
  Entries entries;
  entries.files = {{"/a/text", "x\ty\\\n"}, {"/a/bytes", std::string("\x01\0", 2)}, {"/l/f", ""}};
  entries.links = {{"/l", "a"}};
  entries.directories = {"/a", "/a/empty", "/b"};
  entries.notes = {{"dmesg", "one\ttwo"}};
  const auto text = recording_text(entries);
  EXPECT_EQ(text,
            "dmesg\tone\\ttwo\n/a/bytes\t@hex(2) 01\n/a/empty\t@dir\n/a/text\tx\\ty\\\\\\n\n"
            "/b\t@dir\n/l\t-> a\n/l/f\t\n");
  auto recording = parsed(text);
  EXPECT_EQ(content(recording.tree, "/a/text"), "x\ty\\\n");
  EXPECT_EQ(content(recording.tree, "/a/bytes"), std::string("\x01\0", 2));
  EXPECT_NE(recording.tree.find("/a/f"), nullptr);
  EXPECT_EQ(recording.notes.at(0).text, "one\ttwo");
}

TEST(tree, removing_a_link_keeps_its_target) {
  Tree tree;
  ASSERT_TRUE(tree.put_file("/dev/x/id", "1").has_value());
  ASSERT_TRUE(tree.put_link("/bus/x", "../dev/x").has_value());
  tree.remove("/bus/x");
  tree.remove("/bus/absent");
  tree.remove("/");
  EXPECT_EQ(tree.find("/bus/x"), nullptr);
  EXPECT_EQ(content(tree, "/dev/x/id"), "1");
  tree.remove("/dev/x");
  EXPECT_EQ(tree.find("/dev/x/id"), nullptr);
}

TEST(tree, putting_again_replaces_the_same_kind_only) {
  Tree tree;
  ASSERT_TRUE(tree.put_file("/a", "1").has_value());
  ASSERT_TRUE(tree.put_file("/a", "2").has_value());
  EXPECT_EQ(content(tree, "/a"), "2");
  EXPECT_FALSE(tree.put_link("/a", "b").has_value());
  EXPECT_FALSE(tree.put_directory("/a").has_value());
  EXPECT_FALSE(tree.put_file("/a/..", "3").has_value());
}

}  // namespace
}  // namespace tessera::kernel
