// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tessera::kernel {

/// Whether reading `path` can block without end. The kernel takes the device's lock to read
/// driver_override (drivers/pci/pci-sysfs.c), and whoever binds or unbinds the device holds that
/// lock: while vfio's unbind waits for a user of the device, so does every reader, unkillably.
bool read_may_block(std::string_view path);

/// Reads a short file (one page, as sysfs has them) in a process of its own, which is left to the
/// kernel if nothing came until `deadline`. `fd` is borrowed, `path` is for messages.
/// Errors: timeout, io and what reading gives.
Result<std::string> read_in_child(int fd, std::string_view path, Deadline deadline);

}  // namespace tessera::kernel
