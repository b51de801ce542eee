// SPDX-License-Identifier: Apache-2.0
// How the played host shares an Intel card: the quotas of xe and i915.
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "fakehost/cut_card.h"
#include "fakehost/played_host.h"

namespace tessera::fakehost {
namespace {

using namespace std::chrono_literals;

std::string admin(std::string_view file) {
  return device(card, fmt::format("sriov_admin/{}", file));
}

class Xe : public PlayedHost {
 protected:
  Xe() : PlayedHost(recording()) {}
  static std::string recording() {
    auto text = function(card, "8086:e212", "xe", 10, "0x030000") +
                fmt::format("{}\t3\\n\nxe-vram-for-vfs/8086:e212\t16911433728\n",
                            device(card, "sriov_totalvfs"));
    for (const char* folder : {"pf", "vf1", "vf2", "vf3"}) {
      auto profile = admin(fmt::format("{}/profile", folder));
      text += fmt::format(
          "{0}/exec_quantum_ms\t0\\n\n{0}/preempt_timeout_us\t0\\n\n"
          "{0}/sched_priority\t[low] normal high\\n\n",
          profile);
      if (std::string(folder) != "pf") text += profile + "/vram_quota\t0\\n\n";
    }
    return text;
  }
  const std::string quota = admin("vf1/profile/vram_quota");
};

TEST_F(Xe, without_quotas_functions_get_equal_parts_until_they_are_gone) {
  ASSERT_EQ(write(numvfs, "3"), "ok");
  EXPECT_EQ(read(quota), "5637144576\n");
  EXPECT_EQ(read(admin("vf3/profile/vram_quota")), "5637144576\n");
  EXPECT_EQ(fs::read_symlink(at(admin("vf1/device"))).filename(), "0000:41:00.1");
  ASSERT_EQ(write(numvfs, "0"), "ok");
  EXPECT_EQ(read(quota), "0\n");
  EXPECT_FALSE(exists(admin("vf1/device")));
}

TEST_F(Xe, one_quota_that_was_set_ends_the_automatic_ones) {
  EXPECT_EQ(write(quota, "4294967296"), "ok");
  ASSERT_EQ(write(numvfs, "2"), "ok");
  EXPECT_EQ(read(quota), "4294967296\n");
  EXPECT_EQ(read(admin("vf2/profile/vram_quota")), "0\n");
  ASSERT_EQ(write(numvfs, "0"), "ok");
  EXPECT_EQ(read(quota), "0\n");
}

TEST_F(Xe, quotas_are_numbers_of_whole_steps_within_the_card) {
  EXPECT_EQ(write(quota, "4G"), "EINVAL");
  EXPECT_EQ(write(quota, "1"), "ok");
  EXPECT_EQ(read(quota), "2097152\n");
  EXPECT_EQ(write(admin("vf2/profile/vram_quota"), "16911433728"), "EIO");
  EXPECT_EQ(read(admin("vf2/profile/vram_quota")), "0\n");
  EXPECT_EQ(write(admin("pf/profile/exec_quantum_ms"), "20\n"), "ok");
  EXPECT_EQ(read(admin("pf/profile/exec_quantum_ms")), "20\n");
  EXPECT_EQ(write(admin("vf1/profile/preempt_timeout_us"), "-1"), "EINVAL");
}

TEST_F(Xe, a_priority_is_a_word_of_three_and_no_functions_own) {
  EXPECT_EQ(write(admin("pf/profile/sched_priority"), "high\n"), "ok");
  EXPECT_EQ(read(admin("pf/profile/sched_priority")), "low normal [high]\n");
  EXPECT_EQ(write(admin("pf/profile/sched_priority"), "urgent"), "EINVAL");
  EXPECT_EQ(write(admin("vf1/profile/sched_priority"), "normal"), "EACCES");
}

TEST_F(Xe, bulk_files_write_to_all) {
  EXPECT_EQ(read(admin(".bulk_profile/vram_quota")), "EACCES");
  EXPECT_EQ(write(admin(".bulk_profile/vram_quota"), "2147483648"), "ok");
  EXPECT_EQ(read(admin("vf3/profile/vram_quota")), "2147483648\n");
  EXPECT_EQ(write(admin(".bulk_profile/sched_priority"), "normal"), "ok");
  EXPECT_EQ(read(admin("pf/profile/sched_priority")), "low [normal] high\n");
  EXPECT_EQ(read(admin("vf2/profile/sched_priority")), "low [normal] high\n");
  EXPECT_EQ(write(admin(".bulk_profile/sched_priority"), "high"), "EINVAL");
  EXPECT_EQ(write(admin(".bulk_profile/exec_quantum_ms"), "x"), "EINVAL");
}

TEST_F(Xe, only_a_function_that_is_enabled_can_be_stopped) {
  EXPECT_EQ(write(admin("vf1/stop"), "1"), "EPERM");
  ASSERT_EQ(write(numvfs, "1"), "ok");
  EXPECT_EQ(write(admin("vf1/stop"), "yes"), "EINVAL");
  EXPECT_EQ(write(admin("vf1/stop"), "1"), "ok");
  EXPECT_NE(read("/.rehearsal/kmsg").find("vf1 stopped"), std::string::npos);
}

TEST_F(Xe, the_files_go_with_the_driver) {
  ASSERT_EQ(write("/sys/bus/pci/drivers/xe/unbind", card), "ok");
  EXPECT_FALSE(exists(admin("")));
  ASSERT_EQ(write("/sys/bus/pci/drivers/xe/bind", card), "ok");
  EXPECT_TRUE(exists(quota));
}

/// The folders' names differ between Intel's kernels.
struct IovNames {
  const char* iov;
  const char* gt;
};

class I915 : public PlayedHost, public testing::WithParamInterface<IovNames> {
 protected:
  I915() : PlayedHost(recording()) {}
  static std::string file(std::string_view function, std::string_view name) {
    return device(
        card, fmt::format("drm/card0/{}/{}/{}/{}", GetParam().iov, function, GetParam().gt, name));
  }
  static std::string automatic() {
    return device(card, fmt::format("drm/card0/{}/pf/auto_provisioning", GetParam().iov));
  }
  static std::string recording() {
    auto text = function(card, "8086:56c0", "i915", 10, "0x038000") +
                fmt::format("/sys/module/i915/parameters/max_vfs\t31\\n\n{}\t31\\n\n{}\t1\\n\n",
                            device(card, "sriov_totalvfs"), automatic());
    text += file("pf", "available/lmem_free") + "\t16777216000\\n\n";
    text += file("pf", "available/ggtt_free") + "\t4026531840\\n\n";
    text += file("pf", "available/doorbells_free") + "\t240\\n\n";
    for (const char* vf_name : {"vf1", "vf2"}) {
      for (const char* name : {"lmem_quota", "ggtt_quota", "doorbells_quota", "exec_quantum_ms"})
        text += file(vf_name, name) + "\t0\\n\n";
    }
    return text;
  }
};

TEST_P(I915, gives_equal_parts_by_itself_and_takes_them_back) {
  ASSERT_EQ(write(numvfs, "2"), "ok");
  EXPECT_EQ(read(file("vf1", "lmem_quota")), "8388608000\n");
  EXPECT_EQ(read(file("vf2", "doorbells_quota")), "120\n");
  EXPECT_EQ(read(file("pf", "available/lmem_free")), "0\n");
  ASSERT_EQ(write(numvfs, "0"), "ok");
  EXPECT_EQ(read(file("vf1", "lmem_quota")), "0\n");
  EXPECT_EQ(read(file("pf", "available/lmem_free")), "16777216000\n");
}

TEST_P(I915, a_quota_by_hand_ends_automatic_provisioning_and_stays) {
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "4194304000"), "ok");
  EXPECT_EQ(read(automatic()), "0\n");
  EXPECT_EQ(read(file("pf", "available/lmem_free")), "12582912000\n");
  EXPECT_EQ(write(numvfs, "1"), "EIO");
  EXPECT_EQ(write(file("vf1", "ggtt_quota"), "1006632960"), "ok");
  EXPECT_EQ(write(numvfs, "1"), "ok");
  EXPECT_EQ(write(numvfs, "0"), "ok");
  EXPECT_EQ(read(file("vf1", "lmem_quota")), "4194304000\n");
}

TEST_P(I915, a_quota_beyond_what_is_free_is_refused) {
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "16777216001"), "ENOSPC");
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "much"), "EINVAL");
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "16777216000"), "ok");
  EXPECT_EQ(write(file("vf2", "lmem_quota"), "4096"), "ENOSPC");
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "8388608000"), "ok");
  EXPECT_EQ(write(file("vf2", "lmem_quota"), "4096"), "ok");
  EXPECT_EQ(write(file("vf1", "exec_quantum_ms"), "64"), "ok");
  EXPECT_EQ(read(file("vf1", "exec_quantum_ms")), "64\n");
}

INSTANTIATE_TEST_SUITE_P(Names, I915,
                         testing::Values(IovNames{"prelim_iov", "gt"}, IovNames{"iov", "gt0"}));

}  // namespace
}  // namespace tessera::fakehost
