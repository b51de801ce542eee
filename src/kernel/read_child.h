// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tessera::kernel {

/// Whether reading `path` can block without end. The kernel takes the device's lock to read
/// driver_override (drivers/pci/pci-sysfs.c), and whoever binds or unbinds the device holds that
/// lock: while vfio's unbind waits for a user of the device, so does every reader, unkillably. So
/// it is with configuration space while the device is reset (drivers/pci/access.c, pci_wait_cfg),
/// which takes a minute and more where the device does not come back.
bool read_may_block(std::string_view path);

/// Reads such files in a process of its own, which is started by the first read and serves all that
/// follow. One that hangs is left to the kernel, and the next read starts another.
/// Not for two threads at once.
class ReadChild {
 public:
  /// The short file `path` (one page, as sysfs has them) inside the directory `root_fd`, which is
  /// borrowed. Errors: timeout when nothing came until `deadline`, io, and what opening and reading
  /// give.
  Result<std::string> read(int root_fd, std::string_view path, Deadline deadline);

 private:
  Status start(int root_fd);
  Fd socket_;  ///< empty: no process runs
};

}  // namespace tessera::kernel
