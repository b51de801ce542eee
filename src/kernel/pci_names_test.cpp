// SPDX-License-Identifier: Apache-2.0
#include "kernel/pci_names.h"

#include <gtest/gtest.h>

namespace tessera::kernel {
namespace {

TEST(PciNames, come_from_the_machines_table) {
  auto names = PciNameTable().names(0x10de, 0x1db4);
  if (names.vendor.empty()) GTEST_SKIP() << "this machine has no hwdb.bin";
  EXPECT_EQ(names.vendor, "NVIDIA Corporation");
  EXPECT_NE(names.device.find("V100"), std::string::npos) << names.device;
}

TEST(PciNames, are_empty_for_what_the_table_does_not_know) {
  PciNameTable table;
  EXPECT_EQ(table.names(0x0bad, 0x0001).vendor, "");
  EXPECT_EQ(table.names(0x10de, 0xfffe).device, "");
}

TEST(PciNames, can_be_asked_again_and_in_any_order) {
  PciNameTable table;
  auto first = table.names(0x8086, 0x56c0);
  (void)table.names(0x1002, 0x74a1);
  auto again = table.names(0x8086, 0x56c0);
  EXPECT_EQ(first.vendor, again.vendor);
  EXPECT_EQ(first.device, again.device);
}

}  // namespace
}  // namespace tessera::kernel
