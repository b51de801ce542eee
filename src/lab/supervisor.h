// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tessera::lab {

/// A host to watch over.
struct Watch {
  std::vector<std::string> qemu;  ///< its command line
  Fd agent_socket;                ///< listening; QEMU finds it as descriptor 3
  Fd qmp_socket;                  ///< listening; QEMU finds it as descriptor 4
  Fd lock;                        ///< stays locked for as long as the supervisor lives
  Fd lifeline;                    ///< a pipe's read end; its end stops the host. Empty: none
  /// Started before QEMU, which waits for a line from each ("ready ..."); killed after it.
  std::vector<std::vector<std::string>> helpers;
  Milliseconds deadline{0};  ///< the host's own: after it QEMU is ended, whatever it does
  std::string log;           ///< where QEMU's and the helpers' words go
  std::string end_note;      ///< a file that gets one line: why the host ended
};

/// Starts a process in a session of its own that starts QEMU and ends it at the deadline, on
/// SIGTERM, or when the lifeline is cut. QEMU and the helpers die with it even if it is killed
/// (PR_SET_PDEATHSIG). Returns its process id; it is the caller's child.
Result<pid_t> supervise(Watch watch);

}  // namespace tessera::lab
