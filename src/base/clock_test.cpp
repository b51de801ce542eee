// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Deadline, of_nothing_has_passed_and_leaves_nothing) {
  auto deadline = Deadline::in(milliseconds(0));
  EXPECT_TRUE(deadline.passed());
  EXPECT_EQ(deadline.left(), milliseconds(0));
}

TEST(Deadline, in_the_past_leaves_nothing_and_never_less) {
  EXPECT_EQ(Deadline::in(milliseconds(-5000)).left(), milliseconds(0));
}

TEST(Deadline, in_the_future_leaves_at_most_what_was_given) {
  auto deadline = Deadline::in(hours(1));
  EXPECT_FALSE(deadline.passed());
  EXPECT_LE(deadline.left(), hours(1));
  EXPECT_GT(deadline.left(), milliseconds(hours(1)) - milliseconds(60000));
}

}  // namespace
}  // namespace tessera
