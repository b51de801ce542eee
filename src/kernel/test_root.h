// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

#include "base/test_directory.h"
#include "kernel/root.h"

namespace tessera::kernel {

/// For tests: the root at `location`, which must be there.
inline Root open_or_die(const std::string& location) {
  auto root = Root::open(location);
  if (!root) throw std::runtime_error(one_line(root.error()));
  return std::move(*root);
}

}  // namespace tessera::kernel
