// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "identity/device.h"

namespace tessera::identity {

/// Where a card listens. Empty paths mean: without.
struct ServerPaths {
  std::string socket;   ///< vfio-user, for QEMU; a stale socket file of this name is replaced
  std::string control;  ///< one knob per line, see Server
  std::string log;      ///< appended to: seconds since start, then what the client asked for
};

/// Serves one device to one client by poll(2), in one thread. On the control socket, a client
/// writes lines and gets one line for each:
///
///     status                 -> "present resets function=1 power=0 bus=2 ..."
///     interrupt              -> "ok", or "error: ..." when nobody listens
///     reset=fail, hang=...   -> "ok"; see Device::turn for the knobs
class Server {
 public:
  /// Listens when this returns. `busy` when somebody else serves on the path.
  static Result<Server> open(Device device, const ServerPaths& paths);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  ///< removes the sockets

  /// Serves until a client that has said something hangs up (success), SIGTERM or SIGINT comes
  /// (success; they must be blocked in this thread), or nothing was said before `first_client`
  /// (`timeout`).
  Status run(Deadline first_client);

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tessera::identity
