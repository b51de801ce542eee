// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/units.h"
#include "probe/inline_host.h"
#include "probe/probe.h"
#include "probe/slices/frameworks.h"
#include "probe/slices/vf_slices.h"

namespace tessera::probe::slices {
namespace {

using model::Framework;
using model::Reading;
using model::SliceSource;

std::vector<SliceSource> sources_of(std::string_view lines) {
  const auto root = inline_host(lines);
  auto host = take_snapshot(root, model::Detail::slices);
  EXPECT_TRUE(host.has_value());
  return host ? host->slice_sources : std::vector<SliceSource>{};
}

TEST(Mdev, types_and_devices_of_a_card_are_read) {
  const auto sources = sources_of(
      "/sys/bus/pci/devices/0000:3b:00.0/class\t0x030200\n"
      "/sys/bus/pci/devices/0000:3b:00.0/driver\t-> ../../../../bus/pci/drivers/nvidia\n"
      "/sys/bus/pci/devices/0000:3b:00.0/mdev_supported_types/nvidia-85/name\tGRID P100-4Q\\n\n"
      "/sys/bus/pci/devices/0000:3b:00.0/mdev_supported_types/nvidia-85/available_instances\t3\\n\n"
      "/sys/bus/pci/devices/0000:3b:00.0/mdev_supported_types/nvidia-85/description\t"
      "num_heads=4, framebuffer=4096M, max_instance=4\\n\n"
      "/sys/bus/pci/devices/0000:3b:00.0/mdev_supported_types/nvidia-9/available_instances\t0\\n\n"
      "/sys/bus/pci/devices/0000:3b:00.0/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/mdev_type\t-> "
      "../mdev_supported_types/nvidia-85\n"
      "/sys/bus/pci/devices/0000:3b:00.0/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/iommu_group\t-> "
      "../../../../kernel/iommu_groups/12\n");
  ASSERT_EQ(sources.size(), 1U);
  const auto& source = sources.front();
  EXPECT_EQ(source.framework, Framework::mdev);
  EXPECT_EQ(source.device, "0000:3b:00.0");
  EXPECT_EQ(source.driver, "nvidia");
  ASSERT_EQ(source.profiles.size(), 2U);
  EXPECT_EQ(source.profiles[0].type, "nvidia-9") << "by number";
  EXPECT_EQ(source.profiles[0].name, "nvidia-9") << "the type, where there is no name";
  EXPECT_TRUE(source.profiles[0].framebuffer_bytes.is_absent());
  EXPECT_EQ(source.profiles[1].series, "Q");
  EXPECT_EQ(source.available("nvidia-85"), 3);
  ASSERT_EQ(source.slices.size(), 1U);
  EXPECT_EQ(source.slices[0].identity, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
  EXPECT_EQ(source.slices[0].name, "GRID P100-4Q");
  EXPECT_EQ(source.slices[0].iommu_group, Reading<int>(12));
}

TEST(Mdev, on_virtual_functions_has_one_source_for_the_card) {
  const auto sources = sources_of(
      "/sys/bus/pci/devices/0000:08:00.0/class\t0x030200\n"
      "/sys/bus/pci/devices/0000:08:00.0/sriov_totalvfs\t16\\n\n"
      "/sys/bus/pci/devices/0000:08:00.0/sriov_numvfs\t2\\n\n"
      "/sys/bus/pci/devices/0000:08:00.4/class\t0x030200\n"
      "/sys/bus/pci/devices/0000:08:00.4/physfn\t-> ../0000:08:00.0\n"
      "/sys/bus/pci/devices/0000:08:00.4/mdev_supported_types/nvidia-746/available_instances\t1\n"
      "/sys/bus/pci/devices/0000:08:00.5/class\t0x030200\n"
      "/sys/bus/pci/devices/0000:08:00.5/physfn\t-> ../0000:08:00.0\n"
      "/sys/bus/pci/devices/0000:08:00.5/mdev_supported_types/nvidia-746/available_instances\t1\n");
  ASSERT_EQ(sources.size(), 1U);
  EXPECT_EQ(sources[0].framework, Framework::mdev_on_vf);
  EXPECT_EQ(sources[0].device, "0000:08:00.0");
  EXPECT_EQ(sources[0].parents.size(), 2U);
  EXPECT_EQ(sources[0].available("nvidia-746"), 2);
  EXPECT_EQ(sources[0].vf_enabled, Reading<int>(2));
}

TEST(Mdev, parents_that_are_no_pci_devices_are_sources_too) {
  const auto sources = sources_of(
      "/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/name\tSingle port serial\\n\n"
      "/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/available_instances\t24\\n\n");
  ASSERT_EQ(sources.size(), 1U);
  EXPECT_EQ(sources[0].device, "mtty");
  EXPECT_FALSE(sources[0].card);
  EXPECT_EQ(sources[0].parents[0].sysfs_path, "/sys/class/mdev_bus/mtty");
}

TEST(GvtG, is_told_by_its_descriptions) {
  const auto sources = sources_of(
      "/sys/bus/pci/devices/0000:00:02.0/class\t0x030000\n"
      "/sys/bus/pci/devices/0000:00:02.0/mdev_supported_types/i915-GVTg_V5_4/description\t"
      "low_gm_size: 128MB\\nhigh_gm_size: 512MB\\nfence: 4\\nresolution: 1920x1200\\nweight: "
      "4\\n\n");
  ASSERT_EQ(sources.size(), 1U);
  EXPECT_EQ(sources[0].framework, Framework::gvt_g);
}

TEST(VendorVfio, types_and_the_current_one_are_read) {
  const auto sources = sources_of(
      "/sys/bus/pci/devices/0000:26:00.4/nvidia/creatable_vgpu_types\t"
      "ID    : vGPU Name\\n1145  : NVIDIA L40S-1B\\n1152  : NVIDIA L40S-8Q\\n\n"
      "/sys/bus/pci/devices/0000:26:00.4/nvidia/current_vgpu_type\t0\\n\n"
      "/sys/bus/pci/devices/0000:26:00.5/nvidia/creatable_vgpu_types\tID    : vGPU Name\\n\n"
      "/sys/bus/pci/devices/0000:26:00.5/nvidia/current_vgpu_type\t1152\\n\n"
      "/sys/bus/pci/devices/0000:26:00.5/nvidia/placement_id\t8\\n\n");
  ASSERT_EQ(sources.size(), 2U) << "without physfn each virtual function stands for itself";
  EXPECT_EQ(sources[0].framework, Framework::vendor_vfio);
  ASSERT_EQ(sources[0].profiles.size(), 2U);
  EXPECT_EQ(sources[0].profiles[1].framebuffer_bytes, Reading<std::uint64_t>(8 * gib));
  EXPECT_TRUE(sources[0].slices.empty());
  ASSERT_EQ(sources[1].slices.size(), 1U);
  EXPECT_EQ(sources[1].slices[0].identity, "0000:26:00.5");
  EXPECT_EQ(sources[1].slices[0].type, "1152");
  EXPECT_EQ(sources[1].slices[0].placement_id, Reading<int>(8));
}

TEST(Xe, quotas_are_read_with_the_chosen_word) {
  const auto sources = sources_of(
      "/sys/bus/pci/devices/0000:03:00.0/class\t0x030000\n"
      "/sys/bus/pci/devices/0000:03:00.0/sriov_totalvfs\t2\\n\n"
      "/sys/bus/pci/devices/0000:03:00.0/sriov_numvfs\t0\\n\n"
      "/sys/bus/pci/devices/0000:03:00.0/sriov_admin/vf1/profile/vram_quota\t0\\n\n"
      "/sys/bus/pci/devices/0000:03:00.0/sriov_admin/vf1/profile/sched_priority\t"
      "low [normal] high\\n\n");
  ASSERT_EQ(sources.size(), 1U);
  EXPECT_EQ(sources[0].framework, Framework::xe);
  ASSERT_EQ(sources[0].quotas.size(), 2U);
  EXPECT_EQ(sources[0].quotas[0].name, "vf1/vram_quota");
  EXPECT_EQ(sources[0].quotas[0].value, Reading<std::string>("0"));
  EXPECT_EQ(sources[0].quotas[1].value, Reading<std::string>("normal"));
  EXPECT_TRUE(sources[0].slices.empty());
}

TEST(I915, quotas_are_found_in_gt_and_gt0) {
  for (const char* gt : {"gt", "gt0"}) {
    for (const char* iov : {"iov", "prelim_iov"}) {
      const auto lines = std::string("/sys/bus/pci/devices/0000:00:02.0/class\t0x030000\n") +
                         "/sys/bus/pci/devices/0000:00:02.0/sriov_totalvfs\t7\\n\n" +
                         "/sys/bus/pci/devices/0000:00:02.0/drm/card0/" + iov + "/vf1/" + gt +
                         "/lmem_quota\t1024\\n\n";
      const auto sources = sources_of(lines);
      ASSERT_EQ(sources.size(), 1U) << lines;
      EXPECT_EQ(sources[0].framework, Framework::i915);
      ASSERT_EQ(sources[0].quotas.size(), 1U) << lines;
      EXPECT_EQ(sources[0].quotas[0].name, "vf1/lmem_quota");
    }
  }
}

TEST(Sriov, virtual_functions_are_slices_where_nothing_else_makes_them) {
  const auto sources = sources_of(
      "/sys/bus/pci/devices/0000:0c:00.0/class\t0x120000\n"
      "/sys/bus/pci/devices/0000:0c:00.0/sriov_totalvfs\t8\\n\n"
      "/sys/bus/pci/devices/0000:0c:00.0/sriov_numvfs\t1\\n\n"
      "/sys/bus/pci/devices/0000:0c:00.0/virtfn0\t-> ../0000:0c:02.0\n"
      "/sys/bus/pci/devices/0000:0c:02.0/class\t0x120000\n"
      "/sys/bus/pci/devices/0000:0c:02.0/physfn\t-> ../0000:0c:00.0\n");
  ASSERT_EQ(sources.size(), 1U);
  EXPECT_EQ(sources[0].framework, Framework::sriov);
  ASSERT_EQ(sources[0].slices.size(), 1U);
  EXPECT_EQ(sources[0].slices[0].identity, "0000:0c:02.0");
}

TEST(CreatableTypes, pass_over_what_is_no_type) {
  const auto profiles = parse_creatable_types(
      "ID    : vGPU Name\n1145  : NVIDIA L40S-1B\n:\n12 :\nx : y\n 7:z \n\xff : \xfe\n");
  ASSERT_EQ(profiles.size(), 2U);
  EXPECT_EQ(profiles[0].type, "1145");
  EXPECT_EQ(profiles[0].series, "B");
  EXPECT_EQ(profiles[1].type, "7");
  EXPECT_EQ(profiles[1].name, "z");
}

TEST(MarkedWords, are_those_in_brackets) {
  EXPECT_EQ(marked_word("[low] normal high\n"), "low");
  EXPECT_EQ(marked_word("low normal [high]"), "high");
  EXPECT_EQ(marked_word("4096\n"), "4096");
  EXPECT_EQ(marked_word("]x["), "]x[");
}

}  // namespace
}  // namespace tessera::probe::slices
