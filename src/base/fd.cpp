// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <unistd.h>

namespace tessera {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Fd::release() {
  return std::exchange(fd_, -1);
}

void Fd::reset() {
  if (fd_ < 0) return;
  // Linux closes the descriptor even when close() reports EINTR or EIO; only EBADF is our bug.
  if (::close(std::exchange(fd_, -1)) != 0 && errno == EBADF) std::abort();
}

}  // namespace tessera
