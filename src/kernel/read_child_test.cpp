// SPDX-License-Identifier: Apache-2.0
#include "kernel/read_child.h"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/fd.h"

namespace tessera::kernel {
namespace {

class ReadChild : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends = {-1, -1};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reading_ = Fd(ends[0]);
    writing_ = Fd(ends[1]);
  }
  Fd reading_;
  Fd writing_;
};

TEST_F(ReadChild, gives_the_text) {
  ASSERT_EQ(::write(writing_.get(), "vfio-pci\n", 9), 9);
  auto text = read_in_child(reading_.get(), "/x", Deadline::in(Milliseconds(10'000)));
  ASSERT_TRUE(text) << text.error().sentence;
  EXPECT_EQ(*text, "vfio-pci\n");
}

TEST_F(ReadChild, gives_up_on_a_read_that_does_not_come_back) {
  auto text = read_in_child(reading_.get(), "/x", Deadline::in(Milliseconds(20)));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::timeout);
  EXPECT_EQ(text.error().subject, "/x");
  writing_.reset();  // lets the reader end
}

TEST_F(ReadChild, reports_the_errno_of_the_read) {
  Fd directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto text = read_in_child(directory.get(), "/", Deadline::in(Milliseconds(10'000)));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().subject, "/");
}

TEST(ReadMayBlock, only_where_the_kernel_takes_the_devices_lock) {
  EXPECT_TRUE(read_may_block("/sys/bus/pci/devices/0000:01:00.0/driver_override"));
  EXPECT_FALSE(read_may_block("/sys/bus/pci/devices/0000:01:00.0/vendor"));
}

}  // namespace
}  // namespace tessera::kernel
