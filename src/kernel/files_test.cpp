// SPDX-License-Identifier: Apache-2.0
#include "kernel/files.h"

#include <gtest/gtest.h>

namespace tessera::kernel::files {
namespace {

TEST(Files, a_directory_or_a_file_in_it) {
  EXPECT_EQ(pci_device("0000:01:00.0"), "/sys/bus/pci/devices/0000:01:00.0");
  EXPECT_EQ(pci_device("0000:01:00.0", "class"), "/sys/bus/pci/devices/0000:01:00.0/class");
  EXPECT_EQ(pci_driver("vfio-pci", "unbind"), "/sys/bus/pci/drivers/vfio-pci/unbind");
  EXPECT_EQ(platform_device("efi-framebuffer.0", "driver"),
            "/sys/bus/platform/devices/efi-framebuffer.0/driver");
  EXPECT_EQ(platform_driver("efi-framebuffer"), "/sys/bus/platform/drivers/efi-framebuffer");
  EXPECT_EQ(module("vfio_pci", "refcnt"), "/sys/module/vfio_pci/refcnt");
}

TEST(Files, numbers_are_decimal) {
  EXPECT_EQ(iommu_group(14, "devices"), "/sys/kernel/iommu_groups/14/devices");
  EXPECT_EQ(process(4711, "fd"), "/proc/4711/fd");
}

TEST(Files, module_tables_are_per_kernel_release) {
  EXPECT_EQ(module_table("6.1.0-13-amd64", "modules.alias"),
            "/lib/modules/6.1.0-13-amd64/modules.alias");
}

}  // namespace
}  // namespace tessera::kernel::files
