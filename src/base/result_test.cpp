// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace tessera {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) {
    return fail(ErrorKind::invalid, std::to_string(number), "it is odd", "double it first");
  }
  return number / 2;
}

Result<int> quarter(int number) {
  TRY_LET(int once, half(number));
  TRY_LET(int twice, half(once));
  return twice;
}

Status even(int number) {
  TRY(half(number));
  return {};
}

Result<std::unique_ptr<int>> boxed(int number) {
  TRY(even(number));
  return std::make_unique<int>(number);
}

Result<int> unboxed(int number) {
  TRY_LET(auto box, boxed(number));
  return *box;
}

TEST(Result, holds_a_value_or_the_whole_error) {
  EXPECT_EQ(*half(4), 2);
  auto odd = half(3);
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error(), (Error{ErrorKind::invalid, "3", "it is odd", "double it first"}));
}

TEST(Result, try_let_takes_the_value_or_returns_the_first_error_unchanged) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().subject, "3");
  EXPECT_EQ(quarter(5).error().subject, "5");
}

TEST(Result, try_passes_errors_on_between_types) {
  EXPECT_TRUE(even(2));
  EXPECT_EQ(even(1).error(), half(1).error());
  EXPECT_EQ(boxed(1).error(), half(1).error());
}

TEST(Result, values_that_can_only_be_moved_are_moved) {
  EXPECT_EQ(*unboxed(6), 6);
  EXPECT_EQ(unboxed(7).error().kind, ErrorKind::invalid);
}

TEST(Result, an_error_without_a_hint_has_an_empty_one) {
  Status status = fail(ErrorKind::io, "disk", "it is full");
  EXPECT_EQ(status.error().hint, "");
}

}  // namespace
}  // namespace tessera
