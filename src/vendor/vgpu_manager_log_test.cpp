// SPDX-License-Identifier: Apache-2.0
#include "vendor/vgpu_manager_log.h"

#include <gtest/gtest.h>

namespace tessera::vendor {
namespace {

VgpuLogEntry entry_of(std::string_view line) {
  auto entry = parse_vgpu_log_line(line);
  EXPECT_TRUE(entry) << line;
  return entry ? std::move(*entry) : VgpuLogEntry{};
}

TEST(VgpuManagerLog, takes_a_line_of_the_journal_apart) {
  const std::string line =
      "Apr 06 13:46:20 pve nvidia-vgpu-mgr[25539]: error: vmiop_log: (0x0): Initialization: "
      "init_device_instance failed error 1";
  const auto entry = entry_of(line);
  EXPECT_EQ(entry.raw, line);
  EXPECT_EQ(entry.pid, 25539U);
  EXPECT_EQ(entry.level, VgpuLogLevel::error);
  EXPECT_EQ(entry.handle, 0U);
  EXPECT_EQ(entry.text, "Initialization: init_device_instance failed error 1");
}

TEST(VgpuManagerLog, reads_lines_whatever_stands_before_the_name) {
  const std::string_view tail = "nvidia-vgpu-mgr[7]: notice: vmiop_log: (0x1a): Framebuffer: 0x380";
  for (const std::string_view head :
       {"Sep 14 08:29:50 node ", "2026-08-02T10:00:00+02:00 node ", "11월 16 09:20:39 ", ""}) {
    const auto entry = entry_of(std::string(head) + std::string(tail));
    EXPECT_EQ(entry.pid, 7U) << head;
    EXPECT_EQ(entry.handle, 0x1aU) << head;
    EXPECT_EQ(entry.text, "Framebuffer: 0x380") << head;
  }
}

TEST(VgpuManagerLog, reads_messages_alone) {
  const auto entry = entry_of("error: vmiop_log: NVOS status 0x56");
  EXPECT_EQ(entry.pid, std::nullopt);
  EXPECT_EQ(entry.handle, std::nullopt);
  EXPECT_EQ(entry.text, "NVOS status 0x56");
  EXPECT_EQ(entry_of("notice: vmiop_env_log: nvidia-vgpu-mgr daemon started").text,
            "nvidia-vgpu-mgr daemon started");
}

TEST(VgpuManagerLog, keeps_messages_without_a_level) {
  const auto entry = entry_of("Nov 16 09:20:39 h nvidia-vgpu-mgr[9]: cmd: 0x2080012f failed.");
  EXPECT_EQ(entry.level, VgpuLogLevel::unmarked);
  EXPECT_EQ(entry.text, "cmd: 0x2080012f failed.");
  EXPECT_EQ(entry_of("nvidia-vgpu-mgr: warning: low on something").level, VgpuLogLevel::warning);
}

TEST(VgpuManagerLog, passes_over_what_other_programs_say) {
  for (const std::string_view line :
       {"Sep 14 07:30:19 node systemd[1]: Started NVIDIA vGPU Manager Daemon.",
        "Sep 14 07:30:19 node systemd[1]: nvidia-vgpu-mgr.service: Main process exited",
        "-- Logs begin at Fri 2021-08-20 18:37:36 CST --", "    uuid: {00000000-0000},",
        "error: something else", "my-nvidia-vgpu-mgr[5]: error: vmiop_log: x", ""}) {
    EXPECT_FALSE(parse_vgpu_log_line(line)) << line;
  }
}

constexpr std::string_view licensed =
    "Sep 15 06:55:48 n systemd[1]: Started something.\n"
    "Sep 15 06:55:50 n nvidia-vgpu-mgr[42]: notice: vmiop_env_log: (0x0): Received start call from "
    "nvidia-vgpu-vfio module: mdev uuid 38512783-4893-47f7-9179-b0594167e86b GPU PCI id 00:01:00.0 "
    "config params vgpu_type_id=50\n"
    "Sep 15 06:55:52 n nvidia-vgpu-mgr[42]: notice: vmiop_log: (0x0): vGPU license state: "
    "Licensed\r\n"
    "Sep 15 06:56:52 n nvidia-vgpu-mgr[42]: error: vmiop_log: (0x0): XID 43 detected on "
    "physical_chid:0x1c, guest_chid:0x14\n";

TEST(VgpuManagerLog, numbers_its_lines_and_finds_starts_and_xids) {
  const auto entries = parse_vgpu_log(licensed);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].line, 2U);
  const auto start = vgpu_start(entries[0]);
  ASSERT_TRUE(start);
  EXPECT_EQ(start->mdev_uuid, "38512783-4893-47f7-9179-b0594167e86b");
  EXPECT_EQ(start->type_id, 50U);
  EXPECT_EQ(entries[1].text, "vGPU license state: Licensed");
  EXPECT_FALSE(vgpu_start(entries[1]));
  EXPECT_FALSE(vgpu_xid(entries[1]));
  EXPECT_EQ(vgpu_xid(entries[2]), 43);
}

TEST(VgpuManagerLog, does_not_take_a_broken_handle_for_one) {
  EXPECT_EQ(entry_of("error: vmiop_log: (0xzz): x").text, "(0xzz): x");
  EXPECT_EQ(entry_of("error: vmiop_log: (0x1ffffffff): x").handle, std::nullopt);
  EXPECT_EQ(entry_of("error: vmiop_log: (0x0").text, "(0x0");
  EXPECT_FALSE(vgpu_xid(entry_of("error: vmiop_log: XID detected")));
}

}  // namespace
}  // namespace tessera::vendor
