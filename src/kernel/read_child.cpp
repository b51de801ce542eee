// SPDX-License-Identifier: Apache-2.0
#include "kernel/read_child.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/wait.h"
#include "kernel/files.h"
#include "kernel/in_root.h"
#include "kernel/orphan.h"

namespace tessera::kernel {

namespace {

constexpr std::size_t longest_path = 4096;

enum class Failed { nothing, open, read };

struct Answer {
  Failed failed = Failed::nothing;
  int error_number = 0;
  std::size_t size = 0;
  std::array<char, 4096> text;
};

struct Reading {
  int root_fd;
  int socket_fd;
};

// --- in the reader: async-signal-safe calls only, no memory is allocated ---

void answer_one(const Reading& reading, const char* path) {
  Answer answer;
  int fd = open_in_root(reading.root_fd, path, O_RDONLY | O_NOCTTY);
  ssize_t size = fd < 0 ? -1 : ::read(fd, answer.text.data(), answer.text.size());
  if (size < 0) {
    answer.failed = fd < 0 ? Failed::open : Failed::read;
    answer.error_number = errno;
  } else {
    answer.size = static_cast<std::size_t>(size);
  }
  if (fd >= 0) ::close(fd);
  ::send(reading.socket_fd, &answer, sizeof answer, MSG_NOSIGNAL);
}

/// Each message of the socket is a path; its end is the caller's end.
void be_the_reader(void* argument) {
  const auto& reading = *static_cast<const Reading*>(argument);
  std::array<char, longest_path + 1> path;
  for (;;) {
    ssize_t size = ::recv(reading.socket_fd, path.data(), longest_path, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    path[static_cast<std::size_t>(size)] = '\0';
    answer_one(reading, path.data());
  }
}

}  // namespace

bool read_may_block(std::string_view path) {
  const bool configuration = path.starts_with(files::pci_devices) && path.ends_with("/config");
  return configuration || path.ends_with("/driver_override");
}

Status ReadChild::start(int root_fd) {
  std::array<int, 2> pair = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail(error_from_errno(errno, "socketpair", "make"));
  }
  Fd ours(pair[0]);
  Fd theirs(pair[1]);
  std::array<int, 2> kept = {root_fd, theirs.get()};
  Reading reading{root_fd, theirs.get()};
  if (int problem = start_orphan({"tessera-read", kept, be_the_reader, &reading}); problem != 0) {
    return fail(error_from_errno(problem, "fork", "do"));
  }
  socket_ = std::move(ours);
  return {};
}

Result<std::string> ReadChild::read(int root_fd, std::string_view path, Deadline deadline) {
  if (!socket_.valid()) TRY(start(root_fd));
  const bool asked = ::send(socket_.get(), path.data(), path.size(), MSG_NOSIGNAL) >= 0;
  if (asked && !wait_until_ready(socket_.get(), POLLIN, deadline)) {
    socket_.reset();  // whenever the kernel lets the reader go, it finds nobody and ends
    return fail(ErrorKind::timeout, std::string(path),
                "the kernel does not let it be read: the device is being bound to a driver, or "
                "unbound, and that does not end",
                "`tessera show` names who may use the device; `tessera history` what was begun");
  }
  Answer answer;
  const ssize_t size = asked ? ::recv(socket_.get(), &answer, sizeof answer, 0) : -1;
  if (size != sizeof answer) {
    socket_.reset();
    return fail(ErrorKind::io, std::string(path), "the process that read it was killed");
  }
  if (answer.failed == Failed::nothing) return std::string(answer.text.data(), answer.size);
  return fail(
      error_from_errno(answer.error_number, path, answer.failed == Failed::open ? "open" : "read"));
}

}  // namespace tessera::kernel
