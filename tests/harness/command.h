// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace tessera::harness {

/// What a command did.
struct Output {
  int exit_code = 0;    ///< 128 + the signal's number when one ended it
  bool killed = false;  ///< ended by a signal
  std::string text;     ///< stdout and stderr, as they came
};

/// Runs `command` through /bin/sh with `environment` added to ours, stdin empty, and waits for it.
/// A command that has not ended after `seconds` is killed.
Output run_shell(const std::string& command, const std::map<std::string, std::string>& environment,
                 int seconds = 120);

}  // namespace tessera::harness
