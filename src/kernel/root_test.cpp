// SPDX-License-Identifier: Apache-2.0
#include "kernel/root.h"

#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/test_root.h"

namespace tessera::kernel {
namespace {

using Names = std::vector<std::string>;

ErrorKind kind_of(const auto& result) {
  return result ? throw std::runtime_error("it worked") : result.error().kind;
}

TEST(RootOpen, tells_the_three_kinds_of_location_apart) {
  TestDirectory host;
  host.file("/tree.tsv", "/sys/a\t1\\n\n");
  EXPECT_EQ(open_or_die("/").kind(), Root::Kind::live);
  EXPECT_EQ(open_or_die("//.").kind(), Root::Kind::live);
  EXPECT_EQ(open_or_die(host.real()).kind(), Root::Kind::directory);
  EXPECT_EQ(open_or_die(host.real("/tree.tsv")).kind(), Root::Kind::recording);
  EXPECT_EQ(open_or_die(host.real()).location(), host.real());
}

TEST(RootOpen, says_what_it_takes_when_nothing_is_there) {
  auto root = Root::open("/nonexistent/host");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().kind, ErrorKind::not_found);
  EXPECT_EQ(root.error().subject, "/nonexistent/host");
  EXPECT_NE(root.error().hint.find("--root takes a directory"), std::string::npos);
}

TEST(RootOpen, refuses_what_is_no_file_and_no_directory_without_hanging) {
  TestDirectory host;
  ASSERT_EQ(::mkfifo(host.real("/fifo").c_str(), 0600), 0);
  EXPECT_EQ(kind_of(Root::open(host.real("/fifo"))), ErrorKind::invalid);
}

TEST(RootOpen, passes_on_why_a_recording_does_not_parse) {
  TestDirectory host;
  host.file("/bad.tsv", "/sys/without-a-tab\n");
  EXPECT_EQ(kind_of(Root::open(host.real("/bad.tsv"))), ErrorKind::invalid);
}

TEST(RootSandbox, no_link_leads_to_the_machine_we_run_on) {
  TestDirectory host;
  host.link("/absolute", "/etc/passwd");
  host.link("/sys/climbing", "../../../../../../../../../../etc/passwd");
  host.link("/sys/outside", "/");
  auto root = open_or_die(host.real());
  for (auto path : {"/absolute", "/sys/climbing", "/sys/outside/etc/passwd",
                    "/../../../../../../../../etc/passwd"}) {
    EXPECT_EQ(kind_of(root.read(path)), ErrorKind::not_found) << path;
    EXPECT_EQ(kind_of(root.write(path, "x", Deadline::in(std::chrono::seconds(5)))),
              ErrorKind::not_found)
        << path;
    EXPECT_FALSE(root.exists(path)) << path;
  }
  host.file("/etc/passwd", "the root's own");
  EXPECT_EQ(root.read("/absolute"), "the root's own");
  EXPECT_EQ(root.read("/sys/climbing"), "the root's own");
  EXPECT_EQ(root.read("/sys/outside/etc/passwd"), "the root's own");
}

TEST(RootSandbox, magic_links_of_proc_are_not_followed) {
  auto root = open_or_die("/");
  EXPECT_EQ(kind_of(root.read("/proc/self/root/etc/passwd")), ErrorKind::invalid);
  EXPECT_EQ(root.read_link("/proc/self/root"), "/");
}

TEST(RootPaths, must_be_absolute_and_without_nul) {
  TestDirectory host;
  host.file("/a", "1");
  auto root = open_or_die(host.real());
  for (auto path : {std::string_view("a"), std::string_view(""), std::string_view("/a\0b", 4)}) {
    EXPECT_EQ(kind_of(root.read(path)), ErrorKind::invalid);
    EXPECT_EQ(kind_of(root.list(path)), ErrorKind::invalid);
    EXPECT_EQ(kind_of(root.read_link(path)), ErrorKind::invalid);
    EXPECT_FALSE(root.exists(path));
  }
}

/// What must be the same on a directory and on the recording of it.
class BothKinds : public testing::TestWithParam<Root::Kind> {
 protected:
  BothKinds() {
    host_.file("/sys/devices/pci0/0000:01:00.0/class", "0x030000\n");
    host_.file("/sys/devices/pci0/0000:01:00.0/empty", "");
    host_.link("/sys/bus/pci/devices/0000:01:00.0", "../../../devices/pci0/0000:01:00.0");
    host_.directory("/sys/bus/pci/slots");
    host_.file("/../" + recording_name(),
               "/sys/devices/pci0/0000:01:00.0/class\t0x030000\\n\n"
               "/sys/devices/pci0/0000:01:00.0/empty\t\n"
               "/sys/bus/pci/devices/0000:01:00.0\t-> ../../../devices/pci0/0000:01:00.0\n"
               "/sys/bus/pci/slots\t@dir\n");
  }
  void TearDown() override { ::unlink(host_.real("/../" + recording_name()).c_str()); }

  Root root() const {
    return open_or_die(GetParam() == Root::Kind::directory ? host_.real()
                                                           : host_.real("/../" + recording_name()));
  }

 private:
  std::string recording_name() const {
    return std::filesystem::path(host_.real()).filename().string() + ".tsv";
  }
  TestDirectory host_;
};

TEST_P(BothKinds, reads_files_through_links) {
  EXPECT_EQ(root().read("/sys/bus/pci/devices/0000:01:00.0/class"), "0x030000\n");
  EXPECT_EQ(root().read("/sys/devices/pci0/0000:01:00.0/empty"), "");
}

TEST_P(BothKinds, lists_directories_in_order) {
  EXPECT_EQ(root().list("/sys/bus/pci"), (Names{"devices", "slots"}));
  EXPECT_EQ(root().list("/sys/bus/pci/devices/0000:01:00.0"), (Names{"class", "empty"}));
  EXPECT_EQ(root().list("/sys/bus/pci/slots"), Names{});
}

TEST_P(BothKinds, reads_a_link_as_it_is_stored) {
  EXPECT_EQ(root().read_link("/sys/bus/pci/devices/0000:01:00.0"),
            "../../../devices/pci0/0000:01:00.0");
}

TEST_P(BothKinds, names_what_is_missing) {
  auto missing = root().read("/sys/bus/pci/devices/0000:02:00.0/class");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_EQ(missing.error().subject, "/sys/bus/pci/devices/0000:02:00.0/class");
  EXPECT_EQ(kind_of(root().list("/sys/class/drm")), ErrorKind::not_found);
  EXPECT_EQ(kind_of(root().read_link("/sys/class/drm")), ErrorKind::not_found);
  EXPECT_FALSE(root().exists("/sys/class/drm"));
  EXPECT_TRUE(root().exists("/sys/bus/pci/devices/0000:01:00.0/class"));
}

TEST_P(BothKinds, refuses_one_kind_of_node_for_another) {
  EXPECT_FALSE(root().read("/sys/bus/pci"));
  EXPECT_FALSE(root().list("/sys/bus/pci/devices/0000:01:00.0/class"));
  EXPECT_EQ(kind_of(root().read_link("/sys/bus/pci")), ErrorKind::invalid);
}

INSTANTIATE_TEST_SUITE_P(Root, BothKinds,
                         testing::Values(Root::Kind::directory, Root::Kind::recording),
                         [](const auto& which) {
                           return which.param == Root::Kind::directory ? "directory" : "recording";
                         });

TEST(RootRecording, refuses_to_be_changed_or_opened) {
  TestDirectory host;
  host.file("/tree.tsv", "/sys/a\t1\n");
  auto root = open_or_die(host.real("/tree.tsv"));
  EXPECT_EQ(kind_of(root.write("/sys/a", "2", Deadline::in(std::chrono::seconds(5)))),
            ErrorKind::unsupported);
  EXPECT_EQ(kind_of(root.open_file("/sys/a", O_RDONLY)), ErrorKind::unsupported);
}

TEST(RootRead, refuses_more_than_four_mib) {
  TestDirectory host;
  host.file("/large", std::string(4 << 20, 'x'));
  host.file("/larger", std::string((4 << 20) + 1, 'x'));
  auto root = open_or_die(host.real());
  EXPECT_EQ(root.read("/large")->size(), std::size_t{4} << 20);
  EXPECT_EQ(kind_of(root.read("/larger")), ErrorKind::invalid);
}

TEST(RootRead, of_a_directory_says_so_in_words) {
  auto result = open_or_die("/").read("/proc");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().sentence, "cannot read it: Is a directory (EISDIR)");
}

TEST(RootKernelLog, of_a_rehearsal_host_comes_without_time_stamps) {
  TestDirectory host;
  host.file("/.rehearsal/kmsg", "[    1.500000] vfio-pci 0000:01:00.0: enabled\nplain [line]\n");
  EXPECT_EQ(open_or_die(host.real()).kernel_log(),
            (Names{"vfio-pci 0000:01:00.0: enabled", "plain [line]"}));
}

TEST(RootKernelLog, of_a_recording_is_its_dmesg_notes) {
  TestDirectory host;
  host.file("/tree.tsv", "dmesg\t[    0.1] DMAR: IOMMU enabled\nother\tno log\n/sys/a\t1\n");
  EXPECT_EQ(open_or_die(host.real("/tree.tsv")).kernel_log(), Names{"DMAR: IOMMU enabled"});
}

TEST(OpenDirectory, reads_what_is_in_it_and_follows_no_link_out_of_it) {
  TestDirectory host;
  host.file("/sys/parent/device/modalias", "pci:v1\n");
  host.file("/sys/other/secret", "no\n");
  std::filesystem::create_symlink("../../other/secret", host.real("/sys/parent/device/leak"));
  std::filesystem::create_symlink("../other", host.real("/sys/parent/linked"));
  const auto root = open_or_die(host.real());
  const auto parent = root.open_directory("/sys/parent");
  ASSERT_TRUE(parent.has_value());
  const auto device = parent->open("device");
  ASSERT_TRUE(device.has_value());
  EXPECT_EQ(device->read("modalias").value_or(""), "pci:v1\n");
  EXPECT_EQ(device->read_link("leak").value_or(""), "../../other/secret");
  EXPECT_FALSE(device->read("leak").has_value());
  EXPECT_FALSE(device->read("../../other/secret").has_value());
  EXPECT_FALSE(parent->open("linked").has_value());
  EXPECT_EQ(kind_of(device->read("absent")), ErrorKind::not_found);
  EXPECT_EQ(kind_of(device->read_link("modalias")), ErrorKind::invalid);
}

TEST(OpenDirectory, is_not_for_recordings) {
  TestDirectory host;
  host.file("/tree.tsv", "/sys/a/b\t1\n");
  EXPECT_EQ(kind_of(open_or_die(host.real("/tree.tsv")).open_directory("/sys/a")),
            ErrorKind::unsupported);
}

TEST(RootRead, a_file_of_sysfs_that_is_longer_than_a_page_is_read_to_its_end) {
  TestDirectory host;
  const std::string pages(100000, 'x');
  host.file("/sys/long", pages);
  host.file("/sys/page", std::string(4096, 'y'));
  const auto root = open_or_die(host.real());
  EXPECT_EQ(root.read("/sys/long").value_or("").size(), pages.size());
  EXPECT_EQ(root.read("/sys/page").value_or("").size(), 4096U);
}

TEST(RootNotes, a_file_that_its_maker_could_not_read_gives_their_error) {
  TestDirectory host;
  host.file("/tree.tsv", "unreadable/sys/a\tEACCES\nunreadable/sys/d\tEPERM\n/sys/a\t1\n");
  const auto root = open_or_die(host.real("/tree.tsv"));
  EXPECT_EQ(kind_of(root.read("/sys/a")), ErrorKind::denied);
  EXPECT_NE(root.read("/sys/a").error().sentence.find("EACCES"), std::string::npos);
  EXPECT_EQ(kind_of(root.list("/sys/d")), ErrorKind::denied);
}

TEST(RootNotes, only_who_saw_the_host_knows_what_is_absent) {
  TestDirectory host;
  host.file("/tree.tsv", "absent/sys/a\tyes\ncomplete\tyes\n/sys/b\t1\n");
  host.file("/part.tsv", "/sys/b\t1\n");
  const auto whole = open_or_die(host.real("/tree.tsv"));
  EXPECT_TRUE(whole.is_complete());
  EXPECT_TRUE(whole.is_surely_absent("/sys/a"));
  EXPECT_FALSE(whole.is_surely_absent("/sys/c"));
  const auto part = open_or_die(host.real("/part.tsv"));
  EXPECT_FALSE(part.is_complete());
  EXPECT_FALSE(part.is_surely_absent("/sys/a"));
  const auto folder = open_or_die(host.real());
  EXPECT_FALSE(folder.is_complete());
  EXPECT_FALSE(folder.is_surely_absent("/sys/a"));
  const auto live = open_or_die("/");
  EXPECT_TRUE(live.is_complete());
  EXPECT_TRUE(live.is_surely_absent("/no/such/file"));
  EXPECT_FALSE(live.is_surely_absent("/proc"));
}

TEST(RootKernelLog, is_empty_where_there_is_none) {
  TestDirectory host;
  EXPECT_TRUE(open_or_die(host.real()).kernel_log().empty());
}

TEST(RootKernelLog, of_the_live_system_is_text_only) {
  for (const auto& line : open_or_die("/").kernel_log()) {
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace tessera::kernel
