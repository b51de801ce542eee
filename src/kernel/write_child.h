// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kernel/root.h"

namespace tessera::kernel {

/// One write(2) that may never return, and what to do if it returns too late.
struct ChildWrite {
  int target_fd = -1;     ///< the open file; borrowed
  int root_fd = -1;       ///< where the late writes' paths are opened; borrowed
  std::string_view path;  ///< for messages
  std::string_view text;
  const std::vector<Root::LateWrite>& if_it_comes_late;
};

/// Carries out `write` in a process of its own and waits for it until `deadline`.
/// The contract is Root::write()'s.
Status write_in_child(const ChildWrite& write, Deadline deadline);

}  // namespace tessera::kernel
