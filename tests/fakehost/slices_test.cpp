// SPDX-License-Identifier: Apache-2.0
// How the played host cuts cards: NVIDIA's vGPUs, mediated devices, quotas, and vendors' tools.
#include <chrono>
#include <string>

#include <fmt/format.h>

#include "fakehost/played_host.h"

namespace tessera::fakehost {
namespace {

using namespace std::chrono_literals;

constexpr const char* header = "ID    : vGPU Name\n";

std::string device(std::string_view address, std::string_view file = {}) {
  return fmt::format("/sys/bus/pci/devices/{}{}{}", address, file.empty() ? "" : "/", file);
}

/// Lines of a recording: a function with what every one has.
std::string function(std::string_view address, std::string_view id, std::string_view driver,
                     int group, std::string_view device_class = "0x030200") {
  auto at = device(address);
  return fmt::format(
      "{0}\t-> ../../../devices/pci0000:40/0000:40:01.0/{1}\n"
      "{0}/class\t{2}\\n\n{0}/vendor\t0x{3}\\n\n{0}/device\t0x{4}\\n\n"
      "{0}/driver\t-> /sys/bus/pci/drivers/{5}\n"
      "{0}/iommu_group\t-> /sys/kernel/iommu_groups/{6}\n",
      at, address, device_class, id.substr(0, 4), id.substr(5), driver, group);
}

constexpr const char* card = "0000:41:00.0";

std::string vf(int index) {
  constexpr int first = 4;
  constexpr int functions = 8;
  int number = first + index;
  return fmt::format("0000:41:{:02x}.{}", number / functions, number % functions);
}

std::string vendor_file(int index, std::string_view file) {
  return device(vf(index), fmt::format("nvidia/{}", file));
}

/// A card with `count` virtual functions that list `types` ("1147  : NVIDIA L40S-1Q\n...").
std::string vendor_host(std::string_view id, int count, std::string_view types) {
  auto text = function(card, id, "nvidia", 10) + fmt::format("{}\t32\\n\n{}\t{}\\n\n",
                                                             device(card, "sriov_totalvfs"),
                                                             device(card, "sriov_numvfs"), count);
  for (int i = 0; i < count; ++i) {
    text += function(vf(i), id, "nvidia", 11 + i);
    text += fmt::format("{}\t-> ../{}\n", device(vf(i), "physfn"), card);
    text += fmt::format("{}\t-> ../{}\n", device(card, fmt::format("virtfn{}", i)), vf(i));
    text += fmt::format("{}\t0\\n\n", vendor_file(i, "current_vgpu_type"));
    text +=
        fmt::format("{}\tID    : vGPU Name\\n{}\n", vendor_file(i, "creatable_vgpu_types"), types);
  }
  return text;
}

constexpr const char* l40s_types =
    "1147  : NVIDIA L40S-1Q\\n1149  : NVIDIA L40S-3Q\\n1152  : NVIDIA L40S-8Q\\n"
    "1153  : NVIDIA L40S-12Q\\n1155  : NVIDIA L40S-24Q\\n1156  : NVIDIA L40S-48Q\\n"
    "1162  : NVIDIA L40S-8A\\n";

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
