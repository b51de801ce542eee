// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace tessera::text {
namespace {

TEST(TextUtf8, is_told_from_other_bytes) {
  for (std::string_view good : {"", "abc\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << printable(good);
  }
  EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
  for (std::string_view bad :
       {"\xff", "\x80", "\xc3", "a\xc3 ", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xf0\x9f\x98", "\xf5\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(bad)) << printable(bad);
  }
}

}  // namespace
}  // namespace tessera::text
