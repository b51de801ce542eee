// SPDX-License-Identifier: Apache-2.0
#include "kernel/read_child.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

namespace tessera::kernel {

namespace {

struct Answer {
  int error_number = 0;
  std::size_t size = 0;
  std::array<char, 4096 - sizeof(int) - sizeof(std::size_t) - 4> text;  // one write of PIPE_BUF
};

/// Between fork and _exit: async-signal-safe calls only. It keeps nothing of its caller's open: a
/// reader that hangs must not hold a lock, or the pipe that somebody reads our output from.
[[noreturn]] void be_the_reader(int fd, int pipe) {
  constexpr int kept_fd = 0;
  constexpr int kept_pipe = 1;
  const int high_pipe = ::fcntl(pipe, F_DUPFD, 10);
  ::dup2(fd, kept_fd);
  ::dup2(high_pipe, kept_pipe);
  ::close_range(2, ~0U, 0);
  Answer answer;
  const ssize_t size = ::read(kept_fd, answer.text.data(), answer.text.size());
  if (size < 0) answer.error_number = errno;
  if (size > 0) answer.size = static_cast<std::size_t>(size);
  [[maybe_unused]] auto ignored = ::write(kept_pipe, &answer, sizeof answer);
  ::_exit(0);
}

bool readable(int fd, Deadline deadline) {
  pollfd waiting{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(deadline.left().count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

bool read_may_block(std::string_view path) {
  return path.ends_with("/driver_override");
}

Result<std::string> read_in_child(int fd, std::string_view path, Deadline deadline) {
  std::array<int, 2> ends = {-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(error_from_errno(errno, path, "make a pipe to read"));
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const pid_t reader = ::fork();
  if (reader < 0) return fail(error_from_errno(errno, path, "start a process to read"));
  if (reader == 0) be_the_reader(fd, theirs.get());
  theirs.reset();
  if (!readable(ours.get(), deadline)) {
    return fail(ErrorKind::timeout, std::string(path),
                "the kernel does not let it be read: the device is being bound to a driver, or "
                "unbound, and that does not end",
                "`tessera show` names who may use the device; `tessera history` what was begun");
  }
  Answer answer;
  const ssize_t size = ::read(ours.get(), &answer, sizeof answer);
  while (::waitpid(reader, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (size != sizeof answer) {
    return fail(ErrorKind::io, std::string(path), "the process that read it was killed");
  }
  if (answer.error_number != 0) return fail(error_from_errno(answer.error_number, path, "read"));
  return std::string(answer.text.data(), answer.size);
}

}  // namespace tessera::kernel
