// SPDX-License-Identifier: Apache-2.0
#include "app/qemu_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/files.h"

namespace tessera::app {

Result<kernel::ChildProcess> start_qemu(const std::vector<std::string>& argv,
                                        const std::string& log_file) {
  Fd log(::open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!log.valid()) return std::unexpected(error_from_errno(errno, log_file, "open"));
  auto qemu = kernel::spawn({.argv = argv,
                             .output_fd = log.get(),
                             .error_fd = log.get(),
                             .session = kernel::SpawnRequest::Session::own});
  if (!qemu && qemu.error().kind == ErrorKind::not_found) {
    qemu.error().hint = "apt install qemu-system-x86";
  }
  return qemu;
}

void stop_qemu(const kernel::ChildProcess& qemu, Deadline deadline) {
  kernel::send_signal(qemu.pidfd, SIGTERM);
  if (!kernel::wait_for_end(qemu.pidfd, deadline)) kernel::send_signal(qemu.pidfd, SIGKILL);
  kernel::reap(qemu.pidfd);
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
