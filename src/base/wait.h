// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"

namespace tessera {

/// Waits until `fd` has one of `events` (POLLIN, POLLOUT of poll(2)), or has come to its end:
/// hang-up and error count as ready, because the next read or write says which it is. A pidfd is
/// ready (POLLIN) when its process has ended. Signals do not end the wait. False when the deadline
/// came first, or when poll(2) could not wait at all.
bool wait_until_ready(int fd, short events, Deadline deadline);

}  // namespace tessera
