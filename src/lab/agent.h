// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include "base/fd.h"
#include "base/result.h"
#include "lab/protocol.h"

namespace tessera::lab {

/// What the agent does when the client hangs up.
enum class WhenGone {
  wait_for_next,  ///< a virtio-serial port: the next client comes through the same descriptor
  leave,          ///< a socket: that was all
};

/// Makes the host ready for commands, once, after its boot or after it was resumed; is told the
/// time outside, because a resumed host's clock stands where it was saved.
using EnterHost = std::function<Status(std::chrono::system_clock::time_point now)>;

/// Runs inside the virtual GPU host: carries out commands that come through `port`
/// (lab/protocol.h), one at a time, until the port is gone. A command gets a session of its own;
/// a hang-up, a new hello or its deadline kills all of it. What it left running behind its back
/// when it ended by itself stays.
/// While one runs it says every `beat` that it is alive.
/// Errors: io when the port breaks; the guest should then power off.
Status serve_agent(Fd port, WhenGone when_gone, const EnterHost& enter,
                   Milliseconds beat = heartbeat);

}  // namespace tessera::lab
