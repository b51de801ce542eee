// SPDX-License-Identifier: Apache-2.0
#include "lab/saved_state.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/test_directory.h"

namespace tessera::lab {
namespace {

class SavedStates : public testing::Test {
 protected:
  SavedStates() {
    places_.cache = cache_.real();
    spec_.name = "host";
    spec_.cards.push_back({.id = "gpu0", .model = CardModel::bochs, .at = {}, .shows = {}});
    cache_.file("/vmlinuz", "a kernel");
    outside_.kernel = cache_.real("/vmlinuz");
    outside_.xfer = "/run/1/xfer";
  }
  std::optional<SavedState> state() { return state_of(places_, spec_, outside_); }

  TestDirectory cache_;
  Places places_;
  LabSpec spec_;
  Outside outside_;
};

TEST_F(SavedStates, do_not_depend_on_where_one_run_keeps_its_files) {
  auto one = state();
  outside_.xfer = "/run/2/xfer";
  outside_.serial_log = "/run/2/serial.log";
  outside_.sockets = "/run/2";
  auto other = state();
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->file, other->file);
  EXPECT_EQ(one->description, other->description);
}

TEST_F(SavedStates, depend_on_the_host_the_kernel_and_the_initrd) {
  auto before = state();
  ASSERT_TRUE(before);
  outside_.initrd = "/other";
  EXPECT_NE(state()->file, before->file);
  outside_.initrd.clear();
  spec_.memory_mib += 2;
  EXPECT_NE(state()->file, before->file);
  spec_.memory_mib -= 2;
  EXPECT_EQ(state()->file, before->file);
  cache_.file("/vmlinuz", "another kernel");
  EXPECT_NE(state()->file, before->file);
}

TEST_F(SavedStates, are_not_for_what_qemu_cannot_save) {
  outside_.accelerator = Accelerator::kvm;
  EXPECT_FALSE(state());
  outside_.accelerator = Accelerator::tcg;
  spec_.iommu = Iommu::amd_vi;
  EXPECT_FALSE(state());
  spec_.iommu = Iommu::none;
  EXPECT_TRUE(state());
  spec_.devices.push_back({.id = "disk", .kind = DeviceKind::nvme, .at = {}});
  EXPECT_FALSE(state());
  spec_.devices.clear();
  spec_.cards[0].model = CardModel::identity;
  EXPECT_FALSE(state());
}

TEST_F(SavedStates, are_there_only_with_the_same_description) {
  auto wanted = state();
  ASSERT_TRUE(wanted);
  EXPECT_FALSE(is_saved(*wanted));
  const auto name = wanted->file.substr(cache_.real().size());
  const auto text = name.substr(0, name.size() - 4) + ".txt";
  cache_.file(name, "bytes");
  EXPECT_FALSE(is_saved(*wanted));
  cache_.file(text, wanted->description + "-device one-more\n");
  EXPECT_FALSE(is_saved(*wanted));
  cache_.file(text, wanted->description);
  EXPECT_TRUE(is_saved(*wanted));
  forget_state(*wanted);
  EXPECT_FALSE(is_saved(*wanted));
}

TEST_F(SavedStates, are_given_to_qemu_through_a_shell_that_gets_the_name_in_one_piece) {
  SavedState odd{"/it's here/host.zst", ""};
  auto words = resume_arguments(odd);
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[0], "-incoming");
  EXPECT_EQ(words[1], R"(exec:zstd -qdc '/it'\''s here/host.zst')");
}

}  // namespace
}  // namespace tessera::lab
