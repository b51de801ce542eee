// SPDX-License-Identifier: Apache-2.0
#include "apply/lock.h"

#include <filesystem>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "base/test_directory.h"

namespace tessera::apply {
namespace {

class LockTest : public ::testing::Test {
 protected:
  TestDirectory scratch_;
  std::string dir_ = scratch_.real();
};

TEST_F(LockTest, second_taker_is_refused_with_the_owners_purpose) {
  auto first = Lock::take(dir_, "assign 0000:01:00.0 to vm", Deadline::in(Milliseconds(0)));
  ASSERT_TRUE(first);
  auto second = Lock::take(dir_, "undo", Deadline::in(Milliseconds(0)));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::busy);
  EXPECT_NE(second.error().sentence.find("assign 0000:01:00.0 to vm"), std::string::npos);
}

TEST_F(LockTest, a_waiting_taker_gets_it_when_the_owner_ends) {
  std::optional<Lock> first(std::move(*Lock::take(dir_, "first", Deadline::in(Milliseconds(0)))));
  bool taken = false;
  std::thread waiter(
      [&] { taken = Lock::take(dir_, "second", Deadline::in(Milliseconds(20'000))).has_value(); });
  first.reset();
  waiter.join();
  EXPECT_TRUE(taken);
}

TEST_F(LockTest, a_folder_that_is_not_there_is_an_error_with_its_name) {
  auto lock = Lock::take(dir_ + "/none", "x", Deadline::in(Milliseconds(0)));
  ASSERT_FALSE(lock);
  EXPECT_NE(lock.error().subject.find("/none/lock"), std::string::npos);
}

}  // namespace
}  // namespace tessera::apply
