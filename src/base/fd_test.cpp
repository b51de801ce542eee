// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"

#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tessera {
namespace {

int new_descriptor() {
  return ::open("/", O_PATH | O_CLOEXEC);
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(Fd, is_empty_unless_it_is_given_something) {
  Fd fd;
  EXPECT_FALSE(fd.valid());
  EXPECT_EQ(fd.get(), -1);
  fd.reset();
}

TEST(Fd, closes_at_the_end_of_its_life) {
  int number = -1;
  {
    Fd fd(new_descriptor());
    number = fd.get();
    ASSERT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, moving_leaves_one_owner_and_closes_what_was_there) {
  Fd a(new_descriptor());
  Fd b(new_descriptor());
  int number_a = a.get();
  int number_b = b.get();
  b = std::move(a);
  EXPECT_EQ(b.get(), number_a);
  EXPECT_TRUE(is_open(number_a));
  EXPECT_FALSE(is_open(number_b));
  Fd c(std::move(b));
  EXPECT_EQ(c.get(), number_a);
}

TEST(Fd, moving_to_itself_changes_nothing) {
  Fd fd(new_descriptor());
  Fd& same = fd;
  int number = fd.get();
  fd = std::move(same);
  EXPECT_EQ(fd.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, release_gives_the_descriptor_up_unclosed) {
  Fd fd(new_descriptor());
  int number = fd.release();
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(FdDeathTest, closing_what_somebody_else_closed_aborts) {
  EXPECT_DEATH(
      {
        Fd fd(new_descriptor());
        ::close(fd.get());
        fd.reset();
      },
      "");
}

}  // namespace
}  // namespace tessera
