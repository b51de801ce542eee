// SPDX-License-Identifier: Apache-2.0
#include "harness/command.h"

#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

namespace tessera::harness {

namespace {

[[noreturn]] void become_shell(const std::string& command, int output,
                               const std::map<std::string, std::string>& environment) {
  ::setpgid(0, 0);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  ::_exit(127);
}

/// Reads until the shell itself has ended; a child that it left behind may keep the pipe open.
void collect(int pipe, int pidfd, Deadline deadline, Output& output) {
  for (;;) {
    pollfd events[2] = {{pipe, POLLIN, 0}, {pidfd, POLLIN, 0}};
    const int ready = ::poll(events, 2, static_cast<int>(deadline.left().count()));
    if (ready <= 0) return;
    char buffer[4096];
    const bool ended = (events[1].revents & POLLIN) != 0;
    for (;;) {
      auto size = ::read(pipe, buffer, sizeof buffer);
      if (size <= 0) break;
      output.text.append(buffer, static_cast<std::size_t>(size));
    }
    if (ended) return;
    if ((events[0].revents & POLLHUP) != 0 && (events[0].revents & POLLIN) == 0) {
      pollfd end{pidfd, POLLIN, 0};
      (void)::poll(&end, 1, static_cast<int>(deadline.left().count()));
      return;
    }
  }
}

}  // namespace

Output run_shell(const std::string& command, const std::map<std::string, std::string>& environment,
                 int seconds) {
  Output output;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) become_shell(command, writer.get(), environment);
  writer.reset();
  (void)::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  const auto deadline = Deadline::in(Milliseconds(seconds * 1000));
  collect(reader.get(), pidfd.get(), deadline, output);
  if (deadline.passed()) (void)::kill(-child, SIGKILL);
  int status = 0;
  (void)::waitpid(child, &status, 0);
  output.killed = WIFSIGNALED(status);
  output.exit_code = output.killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return output;
}

}  // namespace tessera::harness
