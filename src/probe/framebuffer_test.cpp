// SPDX-License-Identifier: Apache-2.0
#include "probe/framebuffer.h"

#include <gtest/gtest.h>

#include "probe/inline_host.h"

namespace tessera::probe {
namespace {

constexpr const char* strix_halo =
    "00001000-0009ffff : System RAM\n"
    "2800000000-2fffffffff : 0000:c3:00.0\n"
    "  2800000000-2801fa3fff : BOOTFB\n"
    "    2800000000-2801fa3fff : simpledrm\n"
    "3000000000-30ffffffff : PCI Bus 0000:c4\n";

TEST(Iomem, finds_the_framebuffer_and_the_function_whose_bar_it_lies_in) {
  auto found = parse_iomem(strix_halo);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first, 0x2800000000U);
  EXPECT_EQ(found[0].last, 0x2801fa3fffU);
  EXPECT_EQ(found[0].label, "BOOTFB");
  ASSERT_TRUE(found[0].function);
  EXPECT_EQ(to_string(*found[0].function), "0000:c3:00.0");
}

TEST(Iomem, looks_through_the_bridge_windows_above_a_bar) {
  auto found = parse_iomem(
      "c0000000-febfffff : PCI Bus 0000:00\n"
      "  d0000000-e1ffffff : PCI Bus 0000:01\n"
      "    d0000000-dfffffff : 0000:01:00.0\n"
      "      d1000000-d12fffff : efifb\n"
      "    e0000000-e1ffffff : 0000:01:00.0\n"
      "  fe000000-fe0fffff : 0000:02:00.0\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label, "efifb");
  EXPECT_EQ(to_string(*found[0].function), "0000:01:00.0");
}

TEST(Iomem, of_an_unprivileged_reader_tells_nothing) {
  EXPECT_TRUE(parse_iomem("00000000-00000000 : 0000:c3:00.0\n"
                          "  00000000-00000000 : BOOTFB\n")
                  .empty());
}

TEST(Iomem, survives_lines_of_any_form) {
  for (const char* text : {"", "\n\n", " : ", "x-y : BOOTFB", "1-2", "1-2 :", "    ",
                           "1-2-3 : efifb", "-1 : BOOTFB", "ffffffffffffffffff-1 : BOOTFB"}) {
    EXPECT_TRUE(parse_iomem(text).empty()) << text;
  }
  auto loose = parse_iomem("1000-1fff : BOOTFB");
  ASSERT_EQ(loose.size(), 1U);
  EXPECT_FALSE(loose[0].function);
}

TEST(BootFramebuffers, join_the_platform_device_with_its_place) {
  auto root = inline_host(
      "/proc/iomem\t2800000000-2fffffffff : 0000:c3:00.0\\n  2800000000-2801fa3fff : BOOTFB\\n\n"
      "/sys/bus/platform/devices/simple-framebuffer.0/driver\t-> "
      "../../../../bus/platform/drivers/simple-framebuffer\n"
      "/sys/bus/platform/devices/serial8250/x\t1\n");
  auto found = read_framebuffers(root);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].device, "simple-framebuffer.0");
  EXPECT_EQ(found[0].driver, "simple-framebuffer");
  EXPECT_EQ(found[0].label, "BOOTFB");
  EXPECT_TRUE(found[0].function);
}

TEST(BootFramebuffers, keep_a_device_whose_place_is_not_known) {
  auto root = inline_host(
      "/proc/iomem\t00000000-00000000 : 0000:c3:00.0\\n  00000000-00000000 : BOOTFB\\n\n"
      "/sys/bus/platform/devices/efi-framebuffer.0\t@dir\n");
  auto found = read_framebuffers(root);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].device, "efi-framebuffer.0");
  EXPECT_TRUE(found[0].driver.empty());
  EXPECT_FALSE(found[0].function);
  EXPECT_EQ(found[0].last, 0U);
}

}  // namespace
}  // namespace tessera::probe
