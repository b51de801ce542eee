// SPDX-License-Identifier: Apache-2.0
#include "lab/child.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kernel/child_process.h"

namespace tessera::lab {
namespace {

/// Both ends of the child's streams before the fork.
struct Streams {
  std::array<Fd, 3> theirs;
  Fd in, out, err;
};

Status make_pipe(Fd& read_end, Fd& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(error_from_errno(errno, "pipe", "make"));
  read_end = Fd(ends[0]);
  write_end = Fd(ends[1]);
  return {};
}

Fd duplicate(const Fd& fd) {
  return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
}

Status open_terminal(Streams& streams, WindowSize size) {
  winsize window{size.rows, size.columns, 0, 0};
  int ours = -1;
  int theirs = -1;
  if (openpty(&ours, &theirs, nullptr, nullptr, &window) != 0)
    return fail(error_from_errno(errno, "terminal", "open"));
  for (int fd : {ours, theirs}) fcntl(fd, F_SETFD, FD_CLOEXEC);
  streams.in = Fd(ours);
  streams.out = duplicate(streams.in);
  streams.theirs[0] = Fd(theirs);
  streams.theirs[1] = duplicate(streams.theirs[0]);
  streams.theirs[2] = duplicate(streams.theirs[0]);
  return {};
}

Result<Streams> make_streams(const Command& command) {
  Streams streams;
  if (command.terminal) {
    TRY(open_terminal(streams, *command.terminal));
  } else {
    TRY(make_pipe(streams.theirs[0], streams.in));
    TRY(make_pipe(streams.out, streams.theirs[1]));
    TRY(make_pipe(streams.err, streams.theirs[2]));
  }
  for (int fd : {streams.in.get(), streams.out.get(), streams.err.get()})
    if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return streams;
}

[[noreturn]] void become(const Command& command, const Streams& streams, int report) {
  setsid();
  if (command.terminal) ioctl(streams.theirs[0].get(), TIOCSCTTY, 0);
  for (int i = 0; i < 3; ++i) dup2(streams.theirs[static_cast<std::size_t>(i)].get(), i);
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const auto& [key, value] : command.env) setenv(key.c_str(), value.c_str(), 1);
  if (command.cwd.empty() || chdir(command.cwd.c_str()) == 0) {
    auto words = kernel::exec_words(command.argv);
    execvp(words[0], words.data());
  }
  int problem = errno;
  (void)!write(report, &problem, sizeof problem);
  _exit(127);
}

}  // namespace

void Child::kill_all() const {
  if (pid > 0) kill(-pid, SIGKILL);
}

Result<Child> start_child(const Command& command) {
  if (command.argv.empty()) return fail(ErrorKind::invalid, "lab run", "there is no command");
  TRY_LET(Streams streams, make_streams(command));
  Fd report_read;
  Fd report_write;
  TRY(make_pipe(report_read, report_write));
  pid_t pid = fork();
  if (pid < 0) return fail(error_from_errno(errno, command.argv[0], "start a process for"));
  if (pid == 0) become(command, streams, report_write.get());
  report_write.reset();
  int problem = 0;
  bool failed = read(report_read.get(), &problem, sizeof problem) == sizeof problem;
  Child child;
  child.pid = pid;
  child.pidfd = kernel::open_pidfd(pid);
  child.in = std::move(streams.in);
  child.out = std::move(streams.out);
  child.err = std::move(streams.err);
  if (!failed) return child;
  kernel::reap(child.pidfd);
  return fail(error_from_errno(problem, command.argv[0], "run"));
}

}  // namespace tessera::lab
