// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tessera::lab {

/// A terminal's size in characters.
struct WindowSize {
  unsigned short rows = 24;
  unsigned short columns = 80;
};

/// What the agent shall run.
struct Command {
  std::vector<std::string> argv;           ///< argv[0] is looked for in PATH
  std::map<std::string, std::string> env;  ///< added to the agent's own
  std::string cwd;                         ///< empty: the agent's own
  std::optional<Milliseconds> deadline;    ///< none: until the host's own
  std::optional<WindowSize> terminal;  ///< on a new pseudo-terminal of this size; none: on pipes
};

/// A started command with our ends of its streams, all of them non-blocking.
struct Child {
  pid_t pid = -1;  ///< also its session and process group
  Fd pidfd;        ///< readable when it has ended
  Fd in;
  Fd out;
  Fd err;  ///< empty on a terminal

  void kill_all() const;  ///< SIGKILL for the whole process group
};

/// Starts `command` in a session of its own.
/// Errors: not_found and others when it cannot be executed or its directory cannot be entered.
Result<Child> start_child(const Command& command);

}  // namespace tessera::lab
