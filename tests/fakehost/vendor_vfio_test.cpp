// SPDX-License-Identifier: Apache-2.0
// How the played host makes NVIDIA's vGPUs on virtual functions.
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

class VendorVfio : public PlayedHost {
 protected:
  VendorVfio() : PlayedHost(vendor_host("10de:26b9", 8, l40s_types)) {}

  [[nodiscard]] std::string make(int index, int type) const {
    return write(vendor_file(index, "current_vgpu_type"), std::to_string(type));
  }
  [[nodiscard]] std::string creatable(int index) const {
    return read(vendor_file(index, "creatable_vgpu_types"));
  }
  [[nodiscard]] std::string placement(int index) const {
    return read(vendor_file(index, "placement_id"));
  }
};

TEST_F(VendorVfio, a_function_without_vgpu_lists_all_types_and_has_no_placement) {
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "0\n");
  EXPECT_EQ(creatable(0).find(std::string(header) + "1147  : NVIDIA L40S-1Q\n"), 0U);
  EXPECT_EQ(placement(0), "ENXIO");
  EXPECT_EQ(read(vendor_file(0, "gpu_instance_id")), "ENXIO");
  EXPECT_EQ(read(vendor_file(0, "vgpu_params")), "\n");
  EXPECT_EQ(write(vendor_file(0, "creatable_vgpu_types"), "1"), "EACCES");
}

TEST_F(VendorVfio, writing_a_type_makes_a_vgpu_and_0_takes_it_away) {
  EXPECT_FALSE(exists("/dev/vfio/11"));
  EXPECT_EQ(make(0, 1152), "ok");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "1152\n");
  EXPECT_TRUE(exists("/dev/vfio/11"));
  EXPECT_EQ(make(0, 0), "ok");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "0\n");
  EXPECT_FALSE(exists("/dev/vfio/11"));
  EXPECT_EQ(make(0, 0), "ok");
}

TEST_F(VendorVfio, a_function_holds_one_vgpu) {
  ASSERT_EQ(make(0, 1152), "ok");
  EXPECT_EQ(creatable(0), header);
  EXPECT_EQ(make(0, 1162), "EIO");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "1152\n");
}

TEST_F(VendorVfio, the_first_vgpu_leaves_types_of_its_size_to_the_whole_card) {
  ASSERT_EQ(make(0, 1152), "ok");
  EXPECT_EQ(creatable(5), std::string(header) + "1152  : NVIDIA L40S-8Q\n1162  : NVIDIA L40S-8A\n");
  EXPECT_EQ(make(5, 1155), "EIO");
  EXPECT_NE(read("/.rehearsal/kmsg").find("NVRM: Failed to add vgpu create request: 0x38"),
            std::string::npos);
  EXPECT_EQ(make(5, 1162), "ok");
  ASSERT_EQ(make(0, 0), "ok");
  ASSERT_EQ(make(5, 0), "ok");
  EXPECT_EQ(make(5, 1155), "ok");
}

TEST_F(VendorVfio, a_card_is_full_when_its_framebuffer_is) {
  for (int i = 0; i < 6; ++i) EXPECT_EQ(make(i, 1152), "ok") << i;
  EXPECT_EQ(creatable(6), header);
  EXPECT_EQ(make(6, 1152), "EIO");
}

TEST_F(VendorVfio, a_type_that_the_card_does_not_know_is_invalid) {
  EXPECT_EQ(make(0, 9999), "EINVAL");
  EXPECT_EQ(write(vendor_file(0, "current_vgpu_type"), "nvidia-1152"), "EINVAL");
}

TEST_F(VendorVfio, equal_vgpus_stand_one_after_the_other_and_gaps_are_filled) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(make(i, 1152), "ok");
  EXPECT_EQ(placement(0), "0\n");
  EXPECT_EQ(placement(1), "8\n");
  EXPECT_EQ(placement(2), "16\n");
  ASSERT_EQ(make(1, 0), "ok");
  ASSERT_EQ(make(7, 1162), "ok");
  EXPECT_EQ(placement(7), "8\n");
}

TEST_F(VendorVfio, a_placement_can_be_changed_to_a_free_one) {
  ASSERT_EQ(make(0, 1152), "ok");
  ASSERT_EQ(make(1, 1152), "ok");
  std::string file = vendor_file(0, "placement_id");
  EXPECT_EQ(write(file, "8"), "EBUSY");
  EXPECT_EQ(write(file, "4"), "EINVAL");
  EXPECT_EQ(write(file, "40"), "ok");
  EXPECT_EQ(placement(0), "40\n");
  EXPECT_EQ(write(vendor_file(3, "placement_id"), "0"), "ENXIO");
}

TEST_F(VendorVfio, a_vgpu_that_a_machine_has_open_stays) {
  ASSERT_EQ(make(0, 1152), "ok");
  ASSERT_EQ(write(vendor_file(0, "vgpu_params"), "frame_rate_limiter=0,disable_vnc=1\n"), "ok");
  ASSERT_EQ(write("/.rehearsal/faults", "hold 90 qemu /dev/vfio/11\n"), "ok");
  EXPECT_EQ(make(0, 0), "EBUSY");
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "enable_uvm=1"), "EBUSY");
  EXPECT_EQ(write(vendor_file(0, "placement_id"), "40"), "EBUSY");
  ASSERT_EQ(write("/.rehearsal/signal", "TERM 90"), "ok");
  EXPECT_EQ(read(vendor_file(0, "vgpu_params")), "frame_rate_limiter=0,disable_vnc=1\n");
  EXPECT_EQ(make(0, 0), "ok");
  EXPECT_EQ(read(vendor_file(0, "vgpu_params")), "\n");
}

TEST_F(VendorVfio, parameters_are_pairs_and_need_a_vgpu) {
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "enable_uvm=1"), "ENXIO");
  ASSERT_EQ(make(0, 1152), "ok");
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "enable_uvm"), "EINVAL");
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "a=" + std::string(1024, 'x')), "EINVAL");
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "enable_uvm=1\n"), "ok");
}

TEST_F(VendorVfio, a_vgpu_is_gone_when_its_function_loses_the_driver) {
  ASSERT_EQ(make(0, 1152), "ok");
  ASSERT_EQ(write("/sys/bus/pci/drivers/nvidia/unbind", vf(0)), "ok");
  EXPECT_FALSE(exists(vendor_file(0, "current_vgpu_type")));
  EXPECT_FALSE(exists("/dev/vfio/11"));
  ASSERT_EQ(write("/sys/bus/pci/drivers/nvidia/bind", vf(0)), "ok");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "0\n");
}

/// One GiB vGPUs: more would fit than a GPU takes.
class ManyVgpus : public PlayedHost {
 protected:
  ManyVgpus() : PlayedHost(vendor_host("10de:26b9", 33, l40s_types)) {}
};

TEST_F(ManyVgpus, a_gpu_takes_32_at_most) {
  for (int i = 0; i < 32; ++i)
    ASSERT_EQ(write(vendor_file(i, "current_vgpu_type"), "1147"), "ok") << i;
  EXPECT_EQ(read(vendor_file(31, "placement_id")), "31\n");
  EXPECT_EQ(write(vendor_file(32, "current_vgpu_type"), "1147"), "EIO");
}

class Blackwell : public PlayedHost {
 protected:
  Blackwell()
      : PlayedHost(vendor_host("10de:2bb5", 3,
                               "1518  : NVIDIA RTX Pro 6000 Blackwell DC-2Q\\n"
                               "1530  : NVIDIA RTX Pro 6000 Blackwell DC-96Q\\n")) {}
};

TEST_F(Blackwell, a_2_gib_vgpu_covers_3_so_that_32_fill_the_card) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(write(vendor_file(i, "current_vgpu_type"), "1518"), "ok");
  EXPECT_EQ(read(vendor_file(1, "placement_id")), "3\n");
  EXPECT_EQ(read(vendor_file(2, "placement_id")), "6\n");
}

class Ampere : public PlayedHost {
 protected:
  Ampere()
      : PlayedHost(vendor_host("10de:25b6", 2, "746   : NVIDIA A2-4Q\\n748   : NVIDIA A2-16Q\\n")) {
  }
};

TEST_F(Ampere, has_no_placements_among_equal_sizes) {
  ASSERT_EQ(write(vendor_file(0, "current_vgpu_type"), "746"), "ok");
  EXPECT_EQ(read(vendor_file(0, "placement_id")), "ENXIO");
}

}  // namespace
}  // namespace tessera::fakehost
