// SPDX-License-Identifier: Apache-2.0
#include "model/slice.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace tessera::model {
namespace {

TEST(NvidiaTypeNames, tell_board_framebuffer_and_series) {
  struct Case {
    std::string_view name;
    std::string_view board;
    int instance_slices;
    std::uint64_t bytes;
    std::string_view series;
    std::string_view suffix;
  };
  constexpr Case cases[] = {
      {"NVIDIA L40S-8Q", "L40S", 0, 8 * gib, "Q", ""},
      {"GRID P100-2B4", "P100", 0, 2 * gib, "B", "4"},
      {"NVIDIA A100-1-5CME", "A100", 1, 5 * gib, "C", "ME"},
      {"GRID A100X-4-20C", "A100X", 4, 20 * gib, "C", ""},
      {"NVIDIA RTX Pro 6000 Blackwell DC-1-2Q", "DC", 1, 2 * gib, "Q", ""},
      {"GRID T4-0B", "T4", 0, gib / 2, "B", ""},
  };
  for (const auto& [name, board, instance_slices, bytes, series, suffix] : cases) {
    const auto parsed = parse_nvidia_type_name(name);
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ(parsed->board, board) << name;
    EXPECT_EQ(parsed->gpu_instance_slices, instance_slices) << name;
    EXPECT_EQ(parsed->framebuffer_bytes, bytes) << name;
    EXPECT_EQ(parsed->series, series) << name;
    EXPECT_EQ(parsed->suffix, suffix) << name;
  }
}

TEST(NvidiaTypeNames, of_another_form_tell_nothing) {
  for (std::string_view name : {"", "-", "-8Q", "GVTg_V5_4", "L40S", "L40S-", "L40S-8", "L40S-8X",
                                "L40S-8Q!", "L40S-99999Q", "Single port serial"}) {
    EXPECT_FALSE(parse_nvidia_type_name(name)) << name;
  }
}

TEST(Descriptions, of_nvidia_are_one_line) {
  Profile profile;
  take_description(
      "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4\n",
      profile);
  EXPECT_EQ(profile.heads, Reading<int>(4));
  EXPECT_EQ(profile.frame_rate_limit, Reading<int>(60));
  EXPECT_EQ(profile.framebuffer_bytes, Reading<std::uint64_t>(4096 * mib));
  EXPECT_EQ(profile.max_resolution, Reading<std::string>("7680x4320"));
  EXPECT_EQ(profile.max_instances, Reading<int>(4));
  EXPECT_FALSE(profile.gvt);
  EXPECT_EQ(profile.description,
            "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, "
            "max_instance=4");
}

TEST(Descriptions, of_gvt_g_are_five_lines) {
  Profile profile;
  take_description(
      "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4\n",
      profile);
  EXPECT_EQ(profile.gvt, (GvtShare{128 * mib, 512 * mib, 4, 4}));
  EXPECT_EQ(profile.max_resolution, Reading<std::string>("1920x1200"));
  EXPECT_TRUE(profile.framebuffer_bytes.is_absent());
  EXPECT_EQ(profile.description,
            "low_gm_size: 128MB, high_gm_size: 512MB, fence: 4, resolution: 1920x1200, weight: 4");
}

TEST(Descriptions, with_nonsense_leave_values_unreadable_and_never_zero) {
  Profile profile;
  take_description("num_heads=many, framebuffer=4096, max_instance=, , =, frl_config\n\xff\xfe",
                   profile);
  EXPECT_TRUE(profile.heads.is_unreadable());
  EXPECT_TRUE(profile.framebuffer_bytes.is_unreadable());
  EXPECT_TRUE(profile.frame_rate_limit.is_absent());
  EXPECT_FALSE(profile.max_instances.has_value());
}

TEST(SliceSources, count_what_is_left_over_all_parents) {
  SliceSource source;
  source.parents.resize(3);
  source.parents[0].creatable = {{"a", 2}, {"b", 0}};
  source.parents[1].creatable = {{"a", 1}};
  source.parents[2].creatable = {{"a", Reading<int>::unreadable("EIO")}};
  EXPECT_EQ(source.available("a"), 3);
  EXPECT_EQ(source.available("b"), 0);
  EXPECT_EQ(source.available("c"), 0);
}

}  // namespace
}  // namespace tessera::model
