// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvidia_vgpu_types.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace tessera::vendor {
namespace {

constexpr std::string_view two_cards = R"(
GPU 00000000:41:00.0
    vGPU Type ID                    : 0xb
        Name                        : GRID M60-0B
        Class                       : NVS
        Max Instances               : 16
        FB Memory                   : 512 MiB
        Display Heads               : 2
        Maximum X Resolution        : 2560
        Maximum Y Resolution        : 1600
        Frame Rate Limit            : 45 FPS
        GRID License                : GRID-Virtual-PC,2.0
    vGPU Type ID                    : 474
        Name                        : GRID A100-1-5C
        Max Instances               : 7
        FB Memory                   : 4864 MiB
        Display Heads               : 1
        Frame Rate Limit            : N/A
GPU 00000001:C8:00.0
)";

std::string error_of_types(std::string_view text) {
  const auto parsed = parse_nvidia_vgpu_types(text, "types");
  return parsed ? "no error" : one_line(parsed.error());
}

TEST(NvidiaVgpuTypes, reads_the_types_of_each_card) {
  const auto cards = parse_nvidia_vgpu_types(two_cards, "types");
  ASSERT_TRUE(cards) << one_line(cards.error());
  ASSERT_EQ(cards->size(), 2U);
  EXPECT_EQ(model::to_string(cards->at(1).card), "0001:c8:00.0");
  EXPECT_TRUE(cards->at(1).profiles.empty());
  ASSERT_EQ(cards->at(0).profiles.size(), 2U);
  const auto& desktop = cards->at(0).profiles[0];
  EXPECT_EQ(desktop.type, "11");
  EXPECT_EQ(desktop.name, "GRID M60-0B");
  EXPECT_EQ(desktop.series, "B");
  EXPECT_EQ(desktop.framebuffer_bytes, 512 * mib);
  EXPECT_EQ(desktop.max_instances, 16);
  EXPECT_EQ(desktop.heads, 2);
  EXPECT_EQ(desktop.max_resolution, std::string("2560x1600"));
  EXPECT_EQ(desktop.frame_rate_limit, 45);
  const auto& compute = cards->at(0).profiles[1];
  EXPECT_EQ(compute.type, "474");
  EXPECT_EQ(compute.gpu_instance_slices, 1);
  EXPECT_EQ(compute.framebuffer_bytes, 5 * gib) << "as its name says, like everywhere";
  EXPECT_FALSE(compute.frame_rate_limit.has_value());
  EXPECT_FALSE(compute.max_resolution.has_value());
}

TEST(NvidiaVgpuTypes, a_card_without_types_and_a_type_without_a_name_are_nothing) {
  EXPECT_TRUE(parse_nvidia_vgpu_types("No supported devices in vGPU mode\n", "t").value().empty());
  const auto cards = parse_nvidia_vgpu_types("GPU 0000:41:00.0\n vGPU Type ID : 0x1\n", "t");
  EXPECT_TRUE(cards.value().front().profiles.empty());
}

TEST(NvidiaVgpuTypes, names_the_line_that_is_wrong) {
  EXPECT_EQ(error_of_types("\nGPU here\n"), "types: line 2: 'here' is no card's address");
  EXPECT_NE(error_of_types("GPU 0000:41:00.0\nvGPU Type ID : many\n").find("'many' is no type's"),
            std::string::npos);
  EXPECT_NE(error_of_types("GPU 0000:41:00.0\nGPU 0000:41:00.0\n").find("is there twice"),
            std::string::npos);
  EXPECT_NE(error_of_types("GPU 0000:41:00.0\nvGPU Type ID : 1\nvGPU Type ID : 0x1\n")
                .find("type 1 is there twice"),
            std::string::npos);
}

}  // namespace
}  // namespace tessera::vendor
