// SPDX-License-Identifier: Apache-2.0
#include "model/drivers.h"

#include <gtest/gtest.h>

namespace tessera::model {
namespace {

TEST(vfio_driver_names, follow_what_the_modules_register) {
  EXPECT_EQ(vfio_driver_of_module("vfio_pci"), "vfio-pci");
  EXPECT_EQ(vfio_driver_of_module("xe_vfio_pci"), "xe-vfio-pci");
  EXPECT_EQ(vfio_driver_of_module("mlx5_vfio_pci"), "mlx5_vfio_pci");
}

TEST(vfio_driver_names, are_known_by_their_end) {
  for (const char* driver : {"vfio-pci", "nvgrace-gpu-vfio-pci", "mlx5_vfio_pci"}) {
    EXPECT_TRUE(is_vfio_driver(driver)) << driver;
  }
  for (const char* driver : {"", "nvidia", "vfio", "pci-stub", "vfio-platform"}) {
    EXPECT_FALSE(is_vfio_driver(driver)) << driver;
  }
}

TEST(a_group, is_kept_by_every_driver_that_does_dma_for_the_host) {
  for (const char* driver : {"", "pcieport", "pci-stub", "vfio-pci", "xe-vfio-pci"}) {
    EXPECT_TRUE(shares_group_with_vfio(driver)) << driver;
  }
  for (const char* driver : {"nvidia", "snd_hda_intel", "i801_smbus"}) {
    EXPECT_FALSE(shares_group_with_vfio(driver)) << driver;
  }
}

}  // namespace
}  // namespace tessera::model
