// SPDX-License-Identifier: Apache-2.0
#include "kernel/read_child.h"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/test_directory.h"

namespace tessera::kernel {
namespace {

/// "/hangs" is a FIFO without a writer: opening it waits, as a locked device does.
class ReadChildTest : public testing::Test {
 protected:
  void SetUp() override {
    host_.file("/name", "vfio-pci\n");
    host_.file("/empty", "");
    host_.directory("/directory");
    ASSERT_EQ(::mkfifo(host_.real("/hangs").c_str(), 0600), 0);
    root_ = Fd(::open(host_.real().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(root_.valid());
  }
  Result<std::string> read(std::string_view path) {
    return child_.read(root_.get(), path, Deadline::in(Milliseconds(10'000)));
  }
  TestDirectory host_;
  Fd root_;
  ReadChild child_;
};

TEST_F(ReadChildTest, serves_one_file_after_another) {
  for (int times = 0; times < 3; ++times) {
    auto text = read("/name");
    ASSERT_TRUE(text) << text.error().sentence;
    EXPECT_EQ(*text, "vfio-pci\n");
    EXPECT_EQ(read("/empty").value_or("?"), "");
  }
}

TEST_F(ReadChildTest, reports_the_errno_of_the_open_and_of_the_read) {
  auto absent = read("/absent");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::not_found);
  EXPECT_EQ(absent.error().subject, "/absent");
  auto directory = read("/directory");
  ASSERT_FALSE(directory);
  EXPECT_NE(directory.error().sentence.find("EISDIR"), std::string::npos);
  EXPECT_EQ(read("/name").value_or("?"), "vfio-pci\n");
}

TEST_F(ReadChildTest, gives_up_on_a_read_that_does_not_come_back_and_serves_the_next) {
  auto hung = child_.read(root_.get(), "/hangs", Deadline::in(Milliseconds(20)));
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().kind, ErrorKind::timeout);
  EXPECT_EQ(hung.error().subject, "/hangs");
  EXPECT_EQ(read("/name").value_or("?"), "vfio-pci\n");
  Fd writer(::open(host_.real("/hangs").c_str(), O_RDWR | O_CLOEXEC));  // lets the hung one end
}

TEST_F(ReadChildTest, does_not_leave_the_root) {
  host_.link("/outside", "/etc/passwd");
  EXPECT_FALSE(read("/outside"));
  EXPECT_FALSE(read("/../../../../../../etc/passwd"));
}

TEST(ReadMayBlock, only_where_the_kernel_takes_the_devices_lock) {
  EXPECT_TRUE(read_may_block("/sys/bus/pci/devices/0000:01:00.0/driver_override"));
  EXPECT_TRUE(read_may_block("/sys/bus/pci/devices/0000:01:00.0/config"));
  EXPECT_FALSE(read_may_block("/sys/bus/pci/devices/0000:01:00.0/vendor"));
  EXPECT_FALSE(read_may_block("/etc/libvirt/config"));
}

}  // namespace
}  // namespace tessera::kernel
