// SPDX-License-Identifier: Apache-2.0
#include "apply/lock.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/text.h"

namespace tessera::apply {

namespace {

std::string owner_of(const Fd& lock_file) {
  char buffer[512];
  auto size = ::pread(lock_file.get(), buffer, sizeof buffer, 0);
  std::string_view owner(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
  return owner.empty() ? "another tessera" : text::printable(text::trim(owner));
}

/// Whether the lock was got; false when the deadline passed first. Closing a file that was open for
/// writing raises IN_CLOSE_WRITE, also when the kernel closes it for a killed process. The watch is
/// set before each try, so a release between the two is not missed.
Result<bool> lock_by(const Fd& lock_file, const std::string& path, Deadline deadline) {
  Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch.valid() || ::inotify_add_watch(watch.get(), path.c_str(), IN_CLOSE_WRITE) < 0) {
    return fail(error_from_errno(errno, path, "watch"));
  }
  for (;;) {
    if (::flock(lock_file.get(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return fail(error_from_errno(errno, path, "lock"));
    }
    if (deadline.passed()) return false;
    pollfd event{watch.get(), POLLIN, 0};
    (void)::poll(&event, 1, static_cast<int>(deadline.left().count()));
    char drained[4096];
    while (::read(watch.get(), drained, sizeof drained) > 0) {
    }
  }
}

}  // namespace

Result<Lock> Lock::take(const std::string& state_dir, const std::string& purpose,
                        Deadline deadline) {
  const std::string path = state_dir + "/lock";
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.valid()) return fail(error_from_errno(errno, path, "open"));
  TRY_LET(const bool locked, lock_by(file, path, deadline));
  if (!locked) {
    return fail(ErrorKind::busy, state_dir,
                fmt::format("another change is under way: {}", owner_of(file)),
                "wait for it to end, or give this one more time with --wait SECONDS");
  }
  const std::string owner = fmt::format("pid {}, {}\n", ::getpid(), purpose);
  if (::ftruncate(file.get(), 0) != 0 ||
      ::pwrite(file.get(), owner.data(), owner.size(), 0) != static_cast<ssize_t>(owner.size())) {
    return fail(error_from_errno(errno, path, "write"));
  }
  return Lock(std::move(file));
}

}  // namespace tessera::apply
