// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvidia_mig.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace tessera::vendor {
namespace {

// As nvidia-smi prints them of an A100 with 40 GB (shortened) and of an H100 NVL.
constexpr std::string_view profiles_a100 = R"(
+-----------------------------------------------------------------------------+
| GPU instance profiles:                                                      |
| GPU   Name             ID    Instances   Memory     P2P    SM    DEC   ENC  |
|                              Free/Total   GiB              CE    JPEG  OFA  |
|=============================================================================|
|   0  MIG 1g.5gb        19     7/7        4.75       No     14     0     0   |
|                                                             1     0     0   |
+-----------------------------------------------------------------------------+
|   0  MIG 1g.5gb+me     20     0/1        4.75       No     14     1     0   |
|                                                             1     1     1   |
+-----------------------------------------------------------------------------+
|   0  MIG 3g.20gb        9     2/2        19.62      No     42     2     0   |
|                                                             3     0     0   |
+-----------------------------------------------------------------------------+
)";
constexpr std::string_view places_a100 =
    "GPU  0 Profile ID 19 Placements: {0,1,2,3,4,5,6}:1\n"
    "GPU  0 Profile ID 20 Placements: {0,1,2,3,4,5,6}:1\n"
    "GPU  0 Profile ID  9 Placements: {0,4}:4\n"
    "GPU  0 Profile ID  0 Placement : {0}:8\n";
constexpr std::string_view instances_h100 = R"(
+-------------------------------------------------------+
| GPU instances:                                        |
| GPU   Name             Profile  Instance   Placement  |
|                          ID       ID       Start:Size |
|=======================================================|
|   0  MIG 3g.47gb          9        1          0:4     |
+-------------------------------------------------------+
|   0  MIG 3g.47gb          9        2          4:4     |
+-------------------------------------------------------+
)";

std::string error_of(std::string_view profiles, std::string_view places) {
  const auto parsed = parse_gpu_instance_profiles(profiles, places, "mig");
  return parsed ? "no error" : one_line(parsed.error());
}

TEST(NvidiaMig, joins_profiles_with_their_places) {
  const auto profiles = parse_gpu_instance_profiles(profiles_a100, places_a100, "mig");
  ASSERT_TRUE(profiles) << one_line(profiles.error());
  ASSERT_EQ(profiles->size(), 3U);
  EXPECT_EQ(profiles->at(0),
            (model::GpuInstanceProfile{19, "1g.5gb", 1, 5 * gib, 7, 1, {0, 1, 2, 3, 4, 5, 6}}));
  EXPECT_EQ(profiles->at(1).name, "1g.5gb+me");
  EXPECT_EQ(profiles->at(1).max_instances, 1) << "of all, not of those that are free";
  EXPECT_EQ(profiles->at(2), (model::GpuInstanceProfile{9, "3g.20gb", 3, 20 * gib, 2, 4, {0, 4}}));
}

TEST(NvidiaMig, a_profile_without_places_cannot_be_put_anywhere) {
  const auto profiles = parse_gpu_instance_profiles(
      profiles_a100, "GPU  0 Profile ID  9 Placements: {4,0}:4\n", "mig");
  ASSERT_TRUE(profiles);
  ASSERT_EQ(profiles->size(), 1U);
  EXPECT_EQ(profiles->front().starts, (std::vector{0, 4}));
}

TEST(NvidiaMig, lists_instances) {
  const auto instances = parse_gpu_instances(instances_h100, "mig");
  ASSERT_TRUE(instances) << one_line(instances.error());
  EXPECT_EQ(*instances, (std::vector<model::GpuInstance>{{1, 9, 0}, {2, 9, 4}}));
}

TEST(NvidiaMig, nothing_there_is_no_error) {
  for (const auto* text :
       {"No MIG-enabled devices found.\n", "No MIG-supported devices found.\n", ""}) {
    EXPECT_TRUE(parse_gpu_instance_profiles(text, text, "mig").value().empty()) << text;
  }
  EXPECT_TRUE(parse_gpu_instances("No GPU instances found: Not Found\n", "mig").value().empty());
}

TEST(NvidiaMig, refuses_what_has_a_row_s_beginning_but_is_none) {
  EXPECT_EQ(error_of("|   0  MIG 1g.5gb        19     7\n", ""),
            "mig:1: '|   0  MIG 1g.5gb        19     7' is no row of nvidia-smi's MIG tables");
  for (const auto* profiles : {"| 0 MIG 1g 19 7/7", "| 0 MIG 0g.5gb 19 7/7", "| 0 MIG 1g.5gb x 7/7",
                               "| 0 MIG 1g.5gb 19 7/7\n| 0 MIG 1g.5gb 19 7/7",
                               "| 0 MIG 1g.5gb 19 7/7\n| 1 MIG 2g.10gb 14 3/3"}) {
    EXPECT_NE(error_of(profiles, "").find("is no row"), std::string::npos) << profiles;
  }
  for (const auto* places :
       {"GPU 0 Profile ID 19 Placements: {0,1}:0", "GPU 0 Profile ID 19 Placements: {0,0}:1",
        "GPU 0 Profile ID 19 Placements: {}:1", "GPU 0 Profile ID 19 Placements: {0}",
        "GPU 0 Profile ID x Placements: {0}:1",
        "GPU 0 Profile ID 19 Placements: {0}:1\nGPU 1 Profile ID 9 Placements: {0}:4"}) {
    EXPECT_NE(error_of("", places).find("is no row"), std::string::npos) << places;
  }
  for (const auto* instances :
       {"| 0 MIG 3g.47gb 9 1 0", "| 0 MIG 3g.47gb 9 1", "| 0 MIG 3g.47gb 9 x 0:4",
        "| 0 MIG 3g.47gb 9 1 0:4\n| 0 MIG 3g.47gb 9 1 4:4"}) {
    EXPECT_FALSE(parse_gpu_instances(instances, "mig")) << instances;
  }
}

}  // namespace
}  // namespace tessera::vendor
