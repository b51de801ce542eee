// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tessera::kernel {

// Processes by pidfd: unlike a number, it can never mean another process that came later, and it
// can be waited for together with other descriptors.

/// The pidfd of a process. Empty, with errno set, when there is none: ESRCH when it is gone.
Fd open_pidfd(pid_t pid);

/// Sends a signal. 0, or the errno: ESRCH when the process has ended.
int send_signal(const Fd& pidfd, int signal);

/// Whether the process ends before the deadline. One that is our child still has to be reaped.
bool wait_for_end(const Fd& pidfd, Deadline deadline);

/// How a process ended.
struct ProcessEnd {
  int exit_code = 0;  ///< 0..255; 0 also where a signal ended it
  int signal = 0;     ///< the one that ended it; 0 when it ended by itself
  /// One number for both, as a shell gives it: 128 plus the signal's number.
  [[nodiscard]] int as_shell_code() const { return signal != 0 ? 128 + signal : exit_code; }
};

/// Waits for the end of our own child and takes it, once. (waitid(2) with P_PIDFD)
ProcessEnd reap(const Fd& pidfd);

/// A program to start: with the null device as input, default signals and no descriptor of ours
/// but those that are named.
struct SpawnRequest {
  std::vector<std::string> argv;  ///< argv[0] is looked for in PATH
  int output_fd = -1;             ///< its standard output, borrowed; -1: the null device
  int error_fd = -1;              ///< its standard error, likewise
  enum class Session {
    ours,  ///< a ^C at our terminal reaches it too
    own,
  } session = Session::ours;
  std::vector<std::string> variables = {};  ///< "NAME=VALUE", beside our own environment
  /// A descriptor that it keeps open as long as it lives, borrowed, as its number 3; -1: none.
  int kept_fd = -1;
};

/// A process that we started and have to reap.
struct ChildProcess {
  pid_t pid = -1;  ///< for messages; everything else goes by pidfd
  Fd pidfd;        ///< readable when it has ended
};

/// Starts a program. Errors: not_found when it is not installed, denied when it may not be run.
Result<ChildProcess> spawn(const SpawnRequest& request);

/// `words` as execvp(3) takes them: pointers into them, and a null pointer at the end.
std::vector<char*> exec_words(const std::vector<std::string>& words);

/// Closes every descriptor of this process but `kept`, which it sorts; -1 in it is skipped.
/// Allocates nothing and locks nothing: fit for a child between fork(2) and exec.
void close_all_but(std::span<int> kept);

}  // namespace tessera::kernel
