// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
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

/// Carries writes out in a process of its own, which is started by the first one and serves all
/// that follow: two forks for each write took longer than most writes. Between writes it holds
/// nothing of the host's. One that hangs is left to the kernel, and the next write starts another.
/// Not for two threads at once.
class WriteChild {
 public:
  /// Waits for the write until `deadline`. The contract is Root::write()'s.
  Status write(const ChildWrite& write, Deadline deadline);

 private:
  Status start(std::string_view path);
  [[nodiscard]] int ask(const ChildWrite& write) const;
  Fd socket_;       ///< empty: no process runs
  int writer_ = 0;  ///< its process, for messages
};

}  // namespace tessera::kernel
