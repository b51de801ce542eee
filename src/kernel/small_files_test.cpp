// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <system_error>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/test_root.h"

namespace tessera::kernel {
namespace {

namespace fs = std::filesystem;

constexpr const char* folder = "/etc/mdevctl.d/mdpy";
constexpr const char* file = "/etc/mdevctl.d/mdpy/a";
constexpr const char* unfinished = "/etc/mdevctl.d/mdpy/.a.unfinished";

bool there(const TestDirectory& host, const std::string& path) {
  return fs::exists(fs::symlink_status(host.real(path)));
}

struct stat status_of(const TestDirectory& host, const std::string& path) {
  struct stat it = {};
  EXPECT_EQ(::lstat(host.real(path).c_str(), &it), 0) << path;
  return it;
}

TEST(SmallFile, is_made_with_the_folders_above_it) {
  TestDirectory host;
  auto root = open_or_die(host.real());
  ASSERT_TRUE(root.write_file(file, "text\n"));
  EXPECT_EQ(host.content(file), "text\n");
  EXPECT_FALSE(there(host, unfinished));
  ASSERT_TRUE(root.write_file("/top", ""));
  EXPECT_EQ(host.content("/top"), "");
  EXPECT_TRUE(there(host, "/top"));
}

TEST(SmallFile, is_replaced_as_a_whole_and_keeps_its_rights) {
  TestDirectory host;
  host.file(file, "a long former text\n");
  fs::permissions(host.real(file), static_cast<fs::perms>(0600));
  const auto former = status_of(host, file);
  ASSERT_TRUE(open_or_die(host.real()).write_file(file, "new"));
  EXPECT_EQ(host.content(file), "new");
  const auto now = status_of(host, file);
  EXPECT_NE(now.st_ino, former.st_ino) << "a reader of the old one keeps the old text";
  EXPECT_EQ(now.st_mode, former.st_mode);
  EXPECT_EQ(now.st_uid, former.st_uid);
}

TEST(SmallFile, that_was_cut_off_is_written_again_or_cleared_away) {
  TestDirectory host;
  host.file(file, "old");
  host.file(unfinished, "half of");
  auto root = open_or_die(host.real());
  ASSERT_TRUE(root.discard_unfinished(file));
  EXPECT_FALSE(there(host, unfinished));
  EXPECT_EQ(host.content(file), "old");
  ASSERT_TRUE(root.discard_unfinished(file)) << "twice does no harm";
  ASSERT_TRUE(root.discard_unfinished("/nowhere/x"));
  host.file(unfinished, "half of");
  ASSERT_TRUE(root.write_file(file, "new"));
  EXPECT_EQ(host.content(file), "new");
  EXPECT_FALSE(there(host, unfinished));
}

TEST(SmallFile, is_removed_once) {
  TestDirectory host;
  host.file(file, "old");
  auto root = open_or_die(host.real());
  ASSERT_TRUE(root.remove_file(file));
  EXPECT_FALSE(there(host, file));
  auto again = root.remove_file(file);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::not_found);
}

TEST(SmallFile, is_no_link_no_folder_and_no_device) {
  TestDirectory host;
  host.file("/opt/real", "elsewhere");
  host.link(file, "/opt/real");
  host.directory("/etc/folder");
  auto root = open_or_die(host.real());
  for (const char* path : {file, "/etc/folder"}) {
    for (const auto& status : {root.write_file(path, "x"), root.remove_file(path)}) {
      ASSERT_FALSE(status) << path;
      EXPECT_EQ(status.error().kind, ErrorKind::unsupported) << path;
    }
    EXPECT_TRUE(there(host, path));
  }
  EXPECT_EQ(host.content("/opt/real"), "elsewhere");
  EXPECT_FALSE(there(host, unfinished));
}

TEST(SmallFile, is_never_written_beside_its_root) {
  TestDirectory outside;
  outside.directory("/target");
  TestDirectory host;
  host.link("/etc", outside.real());
  host.link("/climbing", "../../../../../../../.." + outside.real());
  auto root = open_or_die(host.real());
  EXPECT_FALSE(root.write_file("/etc/target/x", "x"));
  EXPECT_FALSE(root.write_file("/climbing/target/x", "x"));
  EXPECT_FALSE(there(outside, "/target/x"));
  ASSERT_TRUE(root.write_file("/../../a/x", "x"));
  EXPECT_EQ(host.content("/a/x"), "x");
  for (const char* path : {"relative", "/etc/", "/etc/.", "/etc/..", "/"}) {
    auto status = root.write_file(path, "x");
    ASSERT_FALSE(status) << path;
    EXPECT_EQ(status.error().kind, ErrorKind::invalid) << path;
  }
}

TEST(SmallFile, of_a_recording_is_never_changed) {
  TestDirectory host;
  host.file("/tree.tsv", std::string(file) + "\ttext\n");
  auto root = open_or_die(host.real("/tree.tsv"));
  for (const auto& status :
       {root.write_file(file, "x"), root.remove_file(file), root.remove_folder(folder)}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::unsupported);
  }
}

TEST(SmallFile, that_cannot_be_written_leaves_nothing_behind) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  TestDirectory host;
  host.file(file, "old");
  fs::permissions(host.real(folder), static_cast<fs::perms>(0555));
  auto status = open_or_die(host.real()).write_file(file, "new");
  fs::permissions(host.real(folder), static_cast<fs::perms>(0755));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::denied);
  EXPECT_EQ(status.error().hint, "be root: use sudo");
  EXPECT_EQ(host.content(file), "old");
}

TEST(Folder, is_removed_when_it_is_there_and_empty) {
  TestDirectory host;
  host.file(file, "x");
  auto root = open_or_die(host.real());
  ASSERT_TRUE(root.remove_folder(folder));
  EXPECT_TRUE(there(host, file)) << "a folder that holds something stays";
  ASSERT_TRUE(root.remove_file(file));
  ASSERT_TRUE(root.remove_folder(folder));
  EXPECT_FALSE(there(host, folder));
  ASSERT_TRUE(root.remove_folder(folder));
  ASSERT_TRUE(root.remove_folder("/nowhere/at/all"));
}

}  // namespace
}  // namespace tessera::kernel
