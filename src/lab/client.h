// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "lab/child.h"
#include "lab/protocol.h"

namespace tessera::lab {

/// Where a command's streams go on this side.
struct LocalStreams {
  int in = -1;  ///< -1: the command gets an empty input
  int out = 1;
  int err = 2;
};

/// The side outside: one connection to a host's agent. While it stands, other clients wait.
class AgentClient {
 public:
  /// Connects to the agent's socket (QEMU's end of the virtio-serial port) and greets the agent;
  /// the answer comes when the host has booted.
  /// Errors: not_found (no such host runs), timeout, io (the host ended while we waited).
  static Result<AgentClient> connect(const std::string& socket_path, Deadline deadline);
  /// The same over a connected socket.
  static Result<AgentClient> over(Fd connected, Deadline deadline);

  /// Enters the host: from here on commands see the machine outside, and the right time.
  /// Errors: timeout, io with the host's words.
  Status enter(Deadline deadline);

  /// Runs one command to its end and returns its exit code; 128 + N when signal N ended it.
  /// With `command.terminal` the local terminal's changes of size are passed on.
  /// Errors: timeout (its deadline ended it), not_found/invalid (it could not start), io (the host
  /// ended, or a local stream broke, or nothing was heard for `patience`, not even a heartbeat).
  Result<int> run(const Command& command, const LocalStreams& streams,
                  Milliseconds patience = 8 * heartbeat);

 private:
  explicit AgentClient(Fd socket) : socket_(std::move(socket)) {}
  Status greet(Deadline deadline);
  Result<nlohmann::json> next_message(Deadline deadline);

  Fd socket_;
  LineBuffer lines_;
};

/// Puts a terminal into raw mode for as long as this object lives; no effect on anything else.
class RawTerminal {
 public:
  explicit RawTerminal(int fd);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  /// The size of a terminal; 24 x 80 where it is none.
  static WindowSize size(int fd);

 private:
  int fd_;
  std::string saved_;  ///< a struct termios; empty when there is nothing to restore
};

}  // namespace tessera::lab
