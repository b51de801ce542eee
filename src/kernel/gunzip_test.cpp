// SPDX-License-Identifier: Apache-2.0
#include "kernel/gunzip.h"

#include <string>

#include <gtest/gtest.h>

namespace tessera::kernel {
namespace {

// printf 'CONFIG_IOMMUFD=m\n' | gzip -n
constexpr unsigned char config[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
                                    0x73, 0xf6, 0xf7, 0x73, 0xf3, 0x74, 0x8f, 0xf7, 0xf4, 0xf7,
                                    0xf5, 0x0d, 0x75, 0x73, 0xb1, 0xcd, 0xe5, 0x02, 0x00, 0x55,
                                    0x3f, 0x82, 0x1b, 0x11, 0x00, 0x00, 0x00};

std::string config_bytes() {
  return {std::begin(config), std::end(config)};
}

TEST(Gunzip, gives_the_text) {
  EXPECT_EQ(gunzip(config_bytes()).value_or(""), "CONFIG_IOMMUFD=m\n");
}

TEST(Gunzip, stops_at_its_limit) {
  EXPECT_EQ(gunzip(config_bytes(), 6).value_or(""), "CONFIG");
}

TEST(Gunzip, refuses_what_is_damaged_or_no_gzip_file) {
  EXPECT_FALSE(gunzip(config_bytes().substr(0, 20)));
  EXPECT_FALSE(gunzip("CONFIG_IOMMUFD=m\n"));
  EXPECT_FALSE(gunzip(""));
}

}  // namespace
}  // namespace tessera::kernel
