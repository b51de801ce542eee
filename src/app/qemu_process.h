// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "kernel/child_process.h"

namespace tessera::app {

/// Starts QEMU in a session of its own, so that a ^C for us does not reach it. It inherits no open
/// file but the null device as input and `log_file` (made anew) for what it says.
/// Errors: not_found when the program is not installed; what opening the log can give.
Result<kernel::ChildProcess> start_qemu(const std::vector<std::string>& argv,
                                        const std::string& log_file);

/// Asks it to end (SIGTERM: QEMU then closes its devices in order), kills it at the deadline, and
/// takes its end.
void stop_qemu(const kernel::ChildProcess& qemu, Deadline deadline);

/// Whether this user can make a virtual machine with KVM. Errors: not_found without the device,
/// denied, unsupported when KVM refuses (KVM_CREATE_VM).
Status check_kvm();

/// The process that holds the lock on a QEMU pid file; 0 when none does, so that a number left
/// behind by a crash is never taken for a machine.
pid_t locked_by(const std::string& pid_file);

/// Text that another process adds to a file, as it comes.
class FileFollower {
 public:
  /// Makes the file if it is not there, empties it if it is, and watches it.
  static Result<FileFollower> open(const std::string& path);
  /// Readable when the file may have grown.
  [[nodiscard]] int event_fd() const { return events_.get(); }
  /// What came since the last call; may be empty.
  std::string take();

 private:
  FileFollower(Fd file, Fd events) : file_(std::move(file)), events_(std::move(events)) {}
  Fd file_;
  Fd events_;
};

}  // namespace tessera::app
