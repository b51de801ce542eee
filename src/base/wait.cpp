// SPDX-License-Identifier: Apache-2.0
#include "base/wait.h"

#include <cerrno>

#include <poll.h>

namespace tessera {

bool wait_until_ready(int fd, short events, Deadline deadline) {
  pollfd waiting = {.fd = fd, .events = events, .revents = 0};
  for (;;) {
    int ready = ::poll(&waiting, 1, static_cast<int>(deadline.left().count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace tessera
