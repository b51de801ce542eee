// SPDX-License-Identifier: Apache-2.0
#include "base/wait.h"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "base/fd.h"

namespace tessera {
namespace {

constexpr Milliseconds long_enough{20'000};
constexpr Milliseconds a_moment{20};

class WaitUntilReady : public testing::Test {
 protected:
  WaitUntilReady() {
    std::array<int, 2> ends = {-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) ADD_FAILURE() << "no pipe";
    reader_ = Fd(ends[0]);
    writer_ = Fd(ends[1]);
  }
  Fd reader_;
  Fd writer_;
};

TEST_F(WaitUntilReady, sees_what_there_is_to_read) {
  EXPECT_FALSE(wait_until_ready(reader_.get(), POLLIN, Deadline::in(a_moment)));
  ASSERT_EQ(::write(writer_.get(), "x", 1), 1);
  EXPECT_TRUE(wait_until_ready(reader_.get(), POLLIN, Deadline::in(long_enough)));
}

TEST_F(WaitUntilReady, takes_a_hang_up_for_ready) {
  writer_.reset();
  EXPECT_TRUE(wait_until_ready(reader_.get(), POLLIN, Deadline::in(long_enough)));
}

TEST_F(WaitUntilReady, sees_what_is_there_after_its_deadline_too) {
  EXPECT_TRUE(wait_until_ready(writer_.get(), POLLOUT, Deadline::in(Milliseconds(0))));
}

TEST_F(WaitUntilReady, waits_for_nothing_on_an_empty_descriptor) {
  EXPECT_FALSE(wait_until_ready(Fd().get(), POLLIN, Deadline::in(a_moment)));
}

}  // namespace
}  // namespace tessera
