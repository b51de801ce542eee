// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <set>

#include <gtest/gtest.h>

namespace tessera {
namespace {

constexpr const char* text = "83c32df7-d52e-4ec1-9668-1f3c7e4df107";

std::string sentence_of(std::string_view wrong) {
  auto uuid = parse_uuid(wrong);
  if (uuid) return "it was taken";
  EXPECT_EQ(uuid.error().kind, ErrorKind::invalid);
  EXPECT_FALSE(uuid.error().hint.empty());
  return uuid.error().sentence;
}

TEST(Uuid, has_five_groups_of_hexadecimal_digits) {
  EXPECT_TRUE(is_uuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"));
  EXPECT_TRUE(is_uuid("83B8F4F2-509F-382F-3C1E-E6BFE0FA1001"));
  EXPECT_FALSE(is_uuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa100"));
  EXPECT_FALSE(is_uuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa10011"));
  EXPECT_FALSE(is_uuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa100g"));
  EXPECT_FALSE(is_uuid("83b8f4f2x509f-382f-3c1e-e6bfe0fa1001"));
  EXPECT_FALSE(is_uuid("consumer:pci:0000:61:00.1"));
  EXPECT_FALSE(is_uuid(""));
}

TEST(Uuid, is_printed_as_it_was_read) {
  auto uuid = parse_uuid(text);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->bytes.front(), 0x83);
  EXPECT_EQ(uuid->bytes.back(), 0x07);
  EXPECT_EQ(to_string(*uuid), text);
}

TEST(Uuid, is_taken_in_upper_case_and_printed_in_lower_case) {
  auto uuid = parse_uuid("83C32DF7-D52E-4EC1-9668-1F3C7E4DF107");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(to_string(*uuid), text);
}

TEST(Uuid, of_another_form_is_refused_with_the_place_of_the_mistake) {
  EXPECT_EQ(sentence_of(""), "a UUID has 36 characters, this has 0");
  EXPECT_EQ(sentence_of("83c32df7d52e4ec196681f3c7e4df107"),
            "a UUID has 36 characters, this has 32");
  EXPECT_EQ(sentence_of("83c32df7-d52e-4ec1-9668-1f3c7e4df10g"),
            "character 36 of a UUID is a hexadecimal digit, not 'g'");
  EXPECT_EQ(sentence_of("83c32df7+d52e-4ec1-9668-1f3c7e4df107"),
            "character 9 of a UUID is '-', not '+'");
  EXPECT_EQ(sentence_of("-3c32df7-d52e-4ec1-9668-1f3c7e4df107"),
            "character 1 of a UUID is a hexadecimal digit, not '-'");
}

TEST(Uuid, of_random_bytes_says_that_it_is_version_4) {
  std::array<std::uint8_t, 16> ones{};
  ones.fill(0xff);
  EXPECT_EQ(to_string(uuid_from_random(ones)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(to_string(uuid_from_random({})), "00000000-0000-4000-8000-000000000000");
}

TEST(Uuid, made_anew_is_another_one_each_time) {
  std::set<Uuid> made;
  for (int i = 0; i < 64; ++i) {
    auto uuid = random_uuid();
    ASSERT_TRUE(uuid);
    EXPECT_EQ(parse_uuid(to_string(*uuid)), *uuid);
    made.insert(*uuid);
  }
  EXPECT_EQ(made.size(), 64U);
}

}  // namespace
}  // namespace tessera
