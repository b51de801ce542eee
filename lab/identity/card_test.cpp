// SPDX-License-Identifier: Apache-2.0
#include "identity/card.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace tessera::identity {
namespace {

CardSpec preset(const std::string& name) {
  std::string path = std::string(IDENTITY_CARDS) + "/" + name + ".yaml";
  std::ifstream file(path);
  auto card = parse_card({std::istreambuf_iterator<char>(file), {}}, path);
  EXPECT_TRUE(card.has_value()) << (card ? "" : one_line(card.error()));
  return card.value_or(CardSpec{});
}

// A good file with `from` replaced by `to`, and the error that it gives.
Error error_of(const std::string& from, const std::string& to) {
  std::string text =
      "card: X\nreset: flr\nfunctions:\n  - name: gpu\n    id: 10de:1db4\n"
      "    subsystem: 10de:1214\n    class: 030200\n    revision: a1\n    bars:\n"
      "      - {bar: 0, size: 16 MiB}\n      - {bar: 1, size: 4 GiB, width: 64}\n";
  EXPECT_TRUE(parse_card(text, "x.yaml").has_value());
  auto at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  text.replace(at, from.size(), to);
  auto card = parse_card(text, "x.yaml");
  EXPECT_FALSE(card.has_value()) << text;
  return card ? Error{} : card.error();
}

TEST(card, every_preset_is_readable) {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(IDENTITY_CARDS)) {
    EXPECT_FALSE(preset(entry.path().stem()).functions.empty());
    ++seen;
  }
  EXPECT_GE(seen, 4);
}

TEST(card, the_v100_is_one_3d_controller_with_a_reset_of_its_own) {
  CardSpec card = preset("tesla-v100-16gb");
  ASSERT_EQ(card.functions.size(), 1U);
  EXPECT_EQ(card.reset, ResetBehaviour::flr);
  EXPECT_EQ(card.functions[0].vendor, 0x10de);
  EXPECT_EQ(card.functions[0].device, 0x1db4);
  EXPECT_EQ(card.functions[0].class_code, 0x030200U);
  EXPECT_EQ(card.functions[0].registers.at(0), 0x140000a1U);
}

TEST(card, the_consumer_card_has_four_functions_and_only_the_bus_reset) {
  CardSpec card = preset("rtx-2080-ti");
  ASSERT_EQ(card.functions.size(), 4U);
  EXPECT_EQ(card.reset, ResetBehaviour::bus);
  EXPECT_EQ(card.functions[1].class_code, 0x040300U);
  EXPECT_EQ(card.functions[3].device, 0x1ad7);
  EXPECT_EQ(card.functions[1].fixed.at(0x58), 2U) << "see the comment in the file";
}

TEST(card, a_mistake_is_told_with_its_line_and_what_would_be_right) {
  Error typo = error_of("revision:", "revison:");
  EXPECT_EQ(typo.subject, "x.yaml:8");
  EXPECT_NE(typo.sentence.find("did you mean 'revision'"), std::string::npos) << typo.sentence;
  EXPECT_EQ(error_of("reset: flr", "reset: maybe").subject, "x.yaml:2");
  EXPECT_EQ(error_of("10de:1db4", "10de").subject, "x.yaml:5");
  EXPECT_EQ(error_of("030200", "1030200").subject, "x.yaml:7");
  EXPECT_EQ(error_of("16 MiB", "15 MiB").subject, "x.yaml:10");
  EXPECT_EQ(error_of("16 MiB", "16 MB").subject, "x.yaml:10");
  EXPECT_EQ(error_of(", width: 64", "").subject, "x.yaml:11");
  EXPECT_EQ(error_of("card: X\n", "").kind, ErrorKind::invalid);
  EXPECT_EQ(error_of("card: X", "card: [").kind, ErrorKind::invalid);
}

TEST(card, two_bars_cannot_share_a_place) {
  Error twice = error_of("bar: 1, size: 4 GiB", "bar: 0, size: 4 GiB");
  EXPECT_NE(twice.sentence.find("taken already"), std::string::npos) << twice.sentence;
}

TEST(card, files_that_are_no_cards_are_refused_and_not_followed) {
  for (const char* text :
       {"", "[]", "1", "card: {}", "functions: 3", "? [a]\n: b\n", "{{{", "\x80"})
    EXPECT_FALSE(parse_card(text, "x.yaml").has_value()) << text;
}

}  // namespace
}  // namespace tessera::identity
