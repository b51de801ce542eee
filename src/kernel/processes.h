// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kernel/root.h"

namespace tessera::kernel {

/// A process that has device files open.
struct OpenDevices {
  int pid = 0;
  std::string name;                ///< /proc/PID/comm
  std::string unit;                ///< systemd unit from /proc/PID/cgroup; empty when none
  std::vector<std::string> paths;  ///< device files held open, sorted, without repeats
};

/// What a scan of /proc/*/fd saw.
struct OpenDeviceScan {
  std::vector<OpenDevices> processes;
  int unreadable = 0;  ///< processes whose descriptors we may not see (not root)
};

/// Looks through every process's descriptors for files under /dev, and for what stands for
/// a device or a machine (anon_inode:[vfio-device], anon_inode:kvm-vm).
OpenDeviceScan scan_open_devices(const Root& root);

/// Asks a process to end (SIGTERM) and waits for it through a pidfd. Errors: timeout, denied,
/// not_found (already gone is success), unsupported on a recording.
Status stop_process(const Root& root, int pid, Deadline deadline);

/// Stops or starts a systemd unit by systemctl. Errors: io with systemctl's own words.
Status stop_unit(const Root& root, const std::string& unit, Deadline deadline);
Status start_unit(const Root& root, const std::string& unit, Deadline deadline);

}  // namespace tessera::kernel
