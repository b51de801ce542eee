// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/request.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace tessera::plan::slices {
namespace {

Wish wish_of(const char* text) {
  auto wishes = parse_request(text);
  EXPECT_TRUE(wishes.has_value() && wishes->size() == 1) << text;
  return wishes ? wishes->front() : Wish{};
}

TEST(Requests, name_a_size_a_series_or_a_type) {
  EXPECT_EQ(wish_of("4x8G"), (Wish{.count = 4, .framebuffer_bytes = 8 * gib}));
  EXPECT_EQ(wish_of("2X512m"), (Wish{.count = 2, .framebuffer_bytes = 512 * mib}));
  EXPECT_EQ(wish_of("8Q"), (Wish{.framebuffer_bytes = 8 * gib, .series = "Q"}));
  EXPECT_EQ(wish_of("3x4c"), (Wish{.count = 3, .framebuffer_bytes = 4 * gib, .series = "C"}));
  EXPECT_EQ(wish_of("0B"), (Wish{.framebuffer_bytes = gib / 2, .series = "B"}));
  EXPECT_EQ(wish_of("2xnvidia-300"), (Wish{.count = 2, .type = "nvidia-300"}));
  EXPECT_EQ(wish_of("1145"), (Wish{.type = "1145"}));
  EXPECT_EQ(wish_of("2xGRID V100-8C"), (Wish{.count = 2, .type = "GRID V100-8C"}));
  EXPECT_EQ(wish_of("i915-GVTg_V5_4"), (Wish{.type = "i915-GVTg_V5_4"}));
}

TEST(Requests, are_joined_by_plus_and_print_as_they_are_written) {
  for (const char* text : {"1x8Q+2x4Q", "4x8G", "2xnvidia-300+1xvf", "1x512M"}) {
    const auto wishes = parse_request(text);
    ASSERT_TRUE(wishes.has_value()) << text;
    EXPECT_EQ(to_string(*wishes), text);
  }
}

TEST(Requests, that_are_wrong_say_which_piece_and_which_forms_there_are) {
  for (const char* text : {"", "+", "4x8G+", "0x8G", "5000x1G", "4x", "4000x1G+4000x1G"}) {
    const auto wishes = parse_request(text);
    ASSERT_FALSE(wishes.has_value()) << text;
    EXPECT_EQ(wishes.error().kind, ErrorKind::invalid) << text;
    EXPECT_NE(wishes.error().hint.find("4x8G (8 GiB each)"), std::string::npos) << text;
  }
}

model::Profile profile(const char* type, const char* name, std::uint64_t bytes,
                       const char* series) {
  model::Profile made;
  made.type = type;
  made.name = name;
  made.framebuffer_bytes = bytes;
  made.series = series;
  return made;
}

model::SliceSource a_card() {
  model::SliceSource source;
  source.profiles = {profile("nvidia-1", "NVIDIA A2-2B", 2 * gib, "B"),
                     profile("nvidia-2", "NVIDIA A2-4Q", 4 * gib, "Q"),
                     profile("nvidia-3", "NVIDIA A2-4A", 4 * gib, "A"),
                     profile("nvidia-4", "NVIDIA A2-4C", 4 * gib, "C"),
                     profile("nvidia-5", "NVIDIA A2-8C", 8 * gib, "C")};
  return source;
}

std::string types(const Wish& wish) {
  std::string all;
  const auto source = a_card();
  for (const auto* granted : granting(source, wish)) all += granted->type.back();
  return all;
}

TEST(Wishes, are_granted_by_size_series_type_or_name) {
  EXPECT_EQ(types({.framebuffer_bytes = 4 * gib}), "234");
  EXPECT_EQ(types({.framebuffer_bytes = 4 * gib, .series = "C"}), "4");
  EXPECT_EQ(types({.type = "nvidia-5"}), "5");
  EXPECT_EQ(types({.type = "NVIDIA A2-8C"}), "5");
  EXPECT_EQ(types({.type = "A2-8C"}), "5");
  EXPECT_EQ(types({.framebuffer_bytes = 16 * gib}), "");
  EXPECT_EQ(types({.type = "nvidia-"}), "");
}

TEST(Wishes, of_a_workload_take_the_series_that_suits_it) {
  EXPECT_EQ(types({.framebuffer_bytes = 4 * gib, .workload = Workload::compute}), "42");
  EXPECT_EQ(types({.framebuffer_bytes = 4 * gib, .workload = Workload::apps}), "32");
  EXPECT_EQ(types({.at_least_bytes = 1 * gib, .workload = Workload::desktop}), "12");
}

TEST(Wishes, for_at_least_so_much_take_the_smallest_that_has_it) {
  EXPECT_EQ(types({.at_least_bytes = 3 * gib, .workload = Workload::compute}), "425");
  EXPECT_EQ(types({.at_least_bytes = 5 * gib}), "5");
}

}  // namespace
}  // namespace tessera::plan::slices
