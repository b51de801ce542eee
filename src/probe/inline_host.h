// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <unistd.h>

#include "kernel/root.h"

namespace tessera::probe {

/// For tests: a root from recording lines ("/sys/...<TAB>value"), opened as --root would.
inline kernel::Root inline_host(std::string_view lines) {
  std::string path = testing::TempDir() + "/tessera-host-XXXXXX";
  int fd = ::mkstemp(path.data());
  EXPECT_GE(fd, 0);
  if (fd >= 0) ::close(fd);
  std::ofstream(path) << lines;
  auto root = kernel::Root::open(path);
  std::filesystem::remove(path);
  if (!root) {
    ADD_FAILURE() << one_line(root.error());
    std::abort();
  }
  return std::move(*root);
}

}  // namespace tessera::probe
