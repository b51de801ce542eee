// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tessera::kernel {

/// openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: `path` and every link on its way are
/// taken inside the directory `root_fd`, which stands for "/". O_CLOEXEC is added.
/// Returns a descriptor the caller owns, or -1 with errno. Async-signal-safe, so that it can be
/// called between fork() and _exit().
int open_in_root(int root_fd, const char* path, int flags);

/// The same for a path below the directory `fd` that has no link in it (ELOOP if it has one).
int open_below(int fd, const char* path, int flags);

}  // namespace tessera::kernel
