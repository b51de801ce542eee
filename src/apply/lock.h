// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tessera::apply {

/// The one lock that keeps two changes of a host apart: flock(2) on STATE/lock. The kernel lets it
/// go when the process ends, however it ends. The file tells who has it.
class Lock {
 public:
  /// Waits for the lock until `deadline` (inotify on its release, no polling).
  /// `purpose` is shown to whoever waits, e.g. "assign 0000:01:00.0 to vm".
  /// Errors: busy, naming the owner's pid and purpose; denied; io.
  static Result<Lock> take(const std::string& state_dir, const std::string& purpose,
                           Deadline deadline);

  /// The locked file's descriptor, borrowed. Who has a copy of it holds the lock too.
  [[nodiscard]] int descriptor() const { return fd_.get(); }

 private:
  explicit Lock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace tessera::apply
