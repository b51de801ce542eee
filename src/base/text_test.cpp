// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace tessera::text {
namespace {

using Views = std::vector<std::string_view>;

TEST(Trim, takes_white_space_off_both_ends) {
  EXPECT_EQ(trim(" \t0x030000\r\n"), "0x030000");
  EXPECT_EQ(trim("a b"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Split, keeps_empty_pieces) {
  EXPECT_EQ(split("a,,b", ','), (Views{"a", "", "b"}));
  EXPECT_EQ(split("a,", ','), (Views{"a", ""}));
  EXPECT_EQ(split("", ','), (Views{""}));
}

TEST(Words, are_separated_by_runs_of_white_space) {
  EXPECT_EQ(words("  alias  pci:v*\tnouveau\n"), (Views{"alias", "pci:v*", "nouveau"}));
  EXPECT_EQ(words(" \n"), Views{});
}

TEST(Lines, a_final_newline_ends_the_last_line) {
  EXPECT_EQ(lines("a\n\nb\n"), (Views{"a", "", "b"}));
  EXPECT_EQ(lines("a\nb"), (Views{"a", "b"}));
  EXPECT_EQ(lines("\n"), (Views{""}));
  EXPECT_EQ(lines(""), Views{});
}

TEST(ToNumber, takes_a_whole_number_only) {
  EXPECT_EQ(to_number("42"), 42U);
  EXPECT_EQ(to_number("0x10de", 16), 0x10deU);
  EXPECT_EQ(to_number("10de", 16), 0x10deU);
  EXPECT_EQ(to_number("18446744073709551615"), 18446744073709551615U);
  for (auto bad : {"", " 1", "1 ", "-1", "+1", "1x", "0x10", "18446744073709551616"}) {
    EXPECT_EQ(to_number(bad), std::nullopt) << bad;
  }
  for (auto bad : {"", "0x", "0x0x1", "g", "-1"}) {
    EXPECT_EQ(to_number(bad, 16), std::nullopt) << bad;
  }
}

TEST(Join, puts_the_separator_between_items) {
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Nearest, finds_a_typo_and_nothing_farther) {
  const std::vector<std::string> verbs = {"assign", "doctor", "history", "list", "undo"};
  EXPECT_EQ(nearest("asign", verbs), "assign");
  EXPECT_EQ(nearest("lits", verbs), "list");
  EXPECT_EQ(nearest("histroy", verbs), "history");
  EXPECT_EQ(nearest("completely-else", verbs), std::nullopt);
  EXPECT_EQ(nearest("undo", {}), std::nullopt);
}

TEST(Printable, shows_bytes_that_a_terminal_would_obey) {
  EXPECT_EQ(printable("a b"), "a b");
  EXPECT_EQ(printable("a\n\tb"), "a\\n\\tb");
  EXPECT_EQ(printable(std::string_view("\x1b[31m\0\xff", 7)), "\\x1b[31m\\x00\\xff");
}

TEST(Text, sizes_take_the_largest_unit_that_stays_whole) {
  EXPECT_EQ(size(std::uint64_t{64} << 30U), "64 GiB");
  EXPECT_EQ(size(1536), "1536 bytes");
  EXPECT_EQ(size(std::uint64_t{1536} << 10U), "1536 KiB");
  EXPECT_EQ(size(0), "0 bytes");
}

}  // namespace
}  // namespace tessera::text
