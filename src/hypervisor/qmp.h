// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tessera::hypervisor {

/// One connection to a running QEMU's machine protocol (QEMU docs/interop/qmp-spec: one JSON
/// object a line, a greeting, then commands answered in order with events in between).
/// QEMU serves one connection at a time on a socket; close this one to let others in.
class Qmp {
 public:
  /// Connects to a unix socket and leaves the greeting behind.
  /// Errors: not_found (nobody listens there), timeout, io (what came was no QMP).
  static Result<Qmp> connect(const std::string& socket_path, Deadline deadline);
  /// The same over a socket that is connected already; `name` is its name in errors.
  static Result<Qmp> over(Fd connected, std::string name, Deadline deadline);

  /// Sends a command and returns the value of "return"; events that come first are kept.
  /// Errors: invalid with QEMU's own words when it refuses, timeout, io when it hung up.
  /// After timeout or io the connection is of no further use.
  Result<nlohmann::json> execute(std::string_view command, const nlohmann::json& arguments,
                                 Deadline deadline);

  /// Waits for the next event of this name, one that came during execute() included; other events
  /// are left behind. Errors: timeout, io.
  Result<nlohmann::json> wait_for_event(std::string_view name, Deadline deadline);

 private:
  Qmp(Fd socket, std::string name) : socket_(std::move(socket)), name_(std::move(name)) {}
  Result<nlohmann::json> next_message(Deadline deadline);
  Result<std::string> next_line(Deadline deadline);
  Status send(const std::string& line, Deadline deadline);

  Fd socket_;
  std::string name_;
  std::string received_;
  std::vector<std::string> events_;  ///< not waited for yet, as they came
};

}  // namespace tessera::hypervisor
