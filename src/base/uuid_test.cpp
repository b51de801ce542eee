// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <set>

#include <gtest/gtest.h>

namespace tessera {

TEST(Uuids, have_five_groups_of_hexadecimal_digits) {
  EXPECT_TRUE(is_uuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"));
  EXPECT_TRUE(is_uuid("83B8F4F2-509F-382F-3C1E-E6BFE0FA1001"));
  EXPECT_FALSE(is_uuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa100"));
  EXPECT_FALSE(is_uuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa10011"));
  EXPECT_FALSE(is_uuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa100g"));
  EXPECT_FALSE(is_uuid("83b8f4f2x509f-382f-3c1e-e6bfe0fa1001"));
  EXPECT_FALSE(is_uuid("consumer:pci:0000:61:00.1"));
  EXPECT_FALSE(is_uuid(""));
}

TEST(Uuids, new_ones_are_of_version_four_and_differ) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto uuid = random_uuid();
    ASSERT_TRUE(uuid.has_value());
    ASSERT_TRUE(is_uuid(*uuid)) << *uuid;
    EXPECT_EQ((*uuid)[14], '4') << *uuid;
    EXPECT_NE(std::string("89ab").find((*uuid)[19]), std::string::npos) << *uuid;
    EXPECT_TRUE(seen.insert(*uuid).second) << *uuid;
  }
}

}  // namespace tessera
