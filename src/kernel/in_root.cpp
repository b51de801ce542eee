// SPDX-License-Identifier: Apache-2.0
#include "kernel/in_root.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tessera::kernel {

namespace {

int open_resolved(int fd, const char* path, int flags, unsigned resolve) {
  open_how how = {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = resolve;
  // EAGAIN: something on the way was renamed meanwhile and ".." could not be proven safe
  // (openat2(2)); it goes away when the renaming ends.
  constexpr int tries = 64;
  long opened = -1;
  for (int i = 0; i < tries; ++i) {
    opened = ::syscall(SYS_openat2, fd, path, &how, sizeof how);
    if (opened >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return static_cast<int>(opened);
}

}  // namespace

int open_in_root(int root_fd, const char* path, int flags) {
  return open_resolved(root_fd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int open_below(int fd, const char* path, int flags) {
  return open_resolved(fd, path, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

}  // namespace tessera::kernel
