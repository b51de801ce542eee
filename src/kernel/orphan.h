// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace tessera::kernel {

/// A copy of this process for a system call that may never return (a write to sysfs, a read of a
/// locked device). Nothing waits for it for ever:
///
///   we --fork--> middle --fork--> orphan       middle ends at once, so our waitpid() is short;
///   the orphan belongs to init (or a subreaper), which reaps it whenever the kernel lets it go.
///
/// It holds nothing of its caller's: not the lock file, not the journal, not the terminal or the
/// pipe on its stdout, not the current directory, no signal handlers. It runs between fork(2) and
/// _exit(): `body` may make async-signal-safe calls only and must not allocate.
struct Orphan {
  const char* name;     ///< what ps(1) shows, at most 15 bytes
  std::span<int> kept;  ///< descriptors that it keeps open; sorted on the way; -1 is skipped
  void (*body)(void* argument);
  void* argument;
};

/// Starts it. Returns 0, or the errno that stopped it from being made.
int start_orphan(const Orphan& orphan);

}  // namespace tessera::kernel
