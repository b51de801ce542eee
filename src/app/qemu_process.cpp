// SPDX-License-Identifier: Apache-2.0
#include "app/qemu_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/files.h"

namespace tessera::app {

namespace {

/// posix_spawn's two settings objects, freed together.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  void streams(int log) {
    const std::string null_device(kernel::files::dev_null);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, null_device.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, log, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, log, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  void own_session_and_default_signals() {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

bool ended_before(const QemuProcess& process, Deadline deadline) {
  pollfd one{process.pidfd.get(), POLLIN, 0};
  while (true) {
    int count = ::poll(&one, 1, static_cast<int>(deadline.left().count()));
    if (count > 0) return true;
    if (count == 0 || errno != EINTR) return false;
  }
}

}  // namespace

Result<QemuProcess> start_qemu(const std::vector<std::string>& argv, const std::string& log_file) {
  Fd log(::open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!log.valid()) return std::unexpected(error_from_errno(errno, log_file, "open"));
  SpawnSettings settings;
  settings.streams(log.get());
  settings.own_session_and_default_signals();
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  QemuProcess process;
  int error = ::posix_spawnp(&process.pid, words[0], settings.actions(), settings.attributes(),
                             words.data(), environ);
  if (error == ENOENT) {
    return fail(ErrorKind::not_found, argv[0], "is not installed", "apt install qemu-system-x86");
  }
  if (error != 0) return std::unexpected(error_from_errno(error, argv[0], "start"));
  process.pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!process.pidfd.valid()) {
    Error why = error_from_errno(errno, argv[0], "watch");
    ::kill(process.pid, SIGKILL);
    reap(process);
    return std::unexpected(why);
  }
  return process;
}

int reap(const QemuProcess& process) {
  int status = 0;
  while (::waitpid(process.pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

void stop_qemu(const QemuProcess& process, Deadline deadline) {
  (void)::syscall(SYS_pidfd_send_signal, process.pidfd.get(), SIGTERM, nullptr, 0);
  if (!ended_before(process, deadline)) {
    (void)::syscall(SYS_pidfd_send_signal, process.pidfd.get(), SIGKILL, nullptr, 0);
  }
  reap(process);
}

Status check_kvm() {
  const std::string path(kernel::files::dev_kvm);
  Fd kvm(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!kvm.valid()) return std::unexpected(error_from_errno(errno, path, "open"));
  Fd machine(::ioctl(kvm.get(), KVM_CREATE_VM, 0));
  if (!machine.valid()) {
    Error error = error_from_errno(errno, path, "make a machine with");
    error.kind = ErrorKind::unsupported;
    return std::unexpected(error);
  }
  return {};
}

pid_t locked_by(const std::string& pid_file) {
  Fd file(::open(pid_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return 0;
  struct flock lock {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
  std::array<char, 32> text{};
  ssize_t length = ::read(file.get(), text.data(), text.size());
  if (length <= 0) return 0;
  auto number =
      text::to_number(text::trim(std::string_view(text.data(), static_cast<std::size_t>(length))));
  return number ? static_cast<pid_t>(*number) : 0;
}

Result<FileFollower> FileFollower::open(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) return std::unexpected(error_from_errno(errno, path, "open"));
  Fd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!events.valid() || ::inotify_add_watch(events.get(), path.c_str(), IN_MODIFY) < 0) {
    return std::unexpected(error_from_errno(errno, path, "watch"));
  }
  return FileFollower(std::move(file), std::move(events));
}

std::string FileFollower::take() {
  std::array<char, 4096> buffer{};
  while (::read(events_.get(), buffer.data(), buffer.size()) > 0) {
  }
  std::string text;
  ssize_t length = 0;
  while ((length = ::read(file_.get(), buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(length));
  }
  return text;
}

}  // namespace tessera::app
