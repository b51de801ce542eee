// SPDX-License-Identifier: Apache-2.0
#include "kernel/child_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wait.h"
#include "kernel/files.h"

namespace tessera::kernel {

namespace {

/// posix_spawn(3)'s two settings objects, freed together.
class SpawnSettings {
 public:
  explicit SpawnSettings(const SpawnRequest& request) : environment_(environment_of(request)) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawnattr_init(&attributes_);
    connect(STDIN_FILENO, -1, O_RDONLY);
    connect(STDOUT_FILENO, request.output_fd, O_WRONLY);
    connect(STDERR_FILENO, request.error_fd, O_WRONLY);
    int first_closed = STDERR_FILENO + 1;
    if (request.kept_fd >= 0) {
      ::posix_spawn_file_actions_adddup2(&files_, request.kept_fd, first_closed++);
    }
    ::posix_spawn_file_actions_addclosefrom_np(&files_, first_closed);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    unsigned flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (request.session == SpawnRequest::Session::own) flags |= POSIX_SPAWN_SETSID;
    ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  /// Returns 0, or an errno.
  int spawn(const std::vector<std::string>& argv, pid_t& pid) const {
    auto words = exec_words(argv);
    auto variables = exec_words(environment_);
    return ::posix_spawnp(&pid, words[0], &files_, &attributes_, words.data(), variables.data());
  }

 private:
  void connect(int stream, int fd, int flags) {
    if (fd >= 0) {
      ::posix_spawn_file_actions_adddup2(&files_, fd, stream);
    } else {
      const std::string nothing(files::dev_null);
      ::posix_spawn_file_actions_addopen(&files_, stream, nothing.c_str(), flags, 0);
    }
  }

  /// The first of two variables with one name counts, so those of the request come first.
  static std::vector<std::string> environment_of(const SpawnRequest& request) {
    auto variables = request.variables;
    for (char** ours = environ; *ours != nullptr; ++ours) variables.emplace_back(*ours);
    return variables;
  }

  std::vector<std::string> environment_;
  posix_spawn_file_actions_t files_ = {};
  posix_spawnattr_t attributes_ = {};
};

}  // namespace

Fd open_pidfd(pid_t pid) {
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

int send_signal(const Fd& pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0 ? 0 : errno;
}

bool wait_for_end(const Fd& pidfd, Deadline deadline) {
  return wait_until_ready(pidfd.get(), POLLIN, deadline);
}

ProcessEnd reap(const Fd& pidfd) {
  siginfo_t end = {};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &end, WEXITED) != 0 && errno == EINTR) {
  }
  if (end.si_code == CLD_EXITED) return {.exit_code = end.si_status, .signal = 0};
  return {.exit_code = 0, .signal = end.si_status};
}

Result<ChildProcess> spawn(const SpawnRequest& request) {
  if (request.argv.empty()) return fail(ErrorKind::invalid, "spawn", "there is no program");
  const std::string& program = request.argv[0];
  ChildProcess child;
  int problem = SpawnSettings(request).spawn(request.argv, child.pid);
  if (problem == ENOENT) return fail(ErrorKind::not_found, program, "is not installed");
  if (problem != 0) return fail(error_from_errno(problem, program, "start"));
  child.pidfd = open_pidfd(child.pid);
  if (child.pidfd.valid()) return child;
  Error why = error_from_errno(errno, program, "watch");
  ::kill(child.pid, SIGKILL);
  while (::waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return fail(std::move(why));
}

std::vector<char*> exec_words(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  // execvp's parameter is not const for C's sake; it changes nothing.
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void close_all_but(std::span<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned next = 0;
  for (int fd : kept) {
    if (fd < 0) continue;
    auto number = static_cast<unsigned>(fd);
    if (number > next) ::close_range(next, number - 1, 0);
    next = number + 1;
  }
  ::close_range(next, ~0U, 0);
}

}  // namespace tessera::kernel
