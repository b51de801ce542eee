// SPDX-License-Identifier: Apache-2.0
#include "kernel/write_child.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "base/wait.h"
#include "kernel/in_root.h"
#include "kernel/orphan.h"

namespace tessera::kernel {

// We and the writer share a socket pair. Giving up is shutdown(SHUT_RD) followed by a last look:
// the kernel does both sides under one lock, so either the writer's answer is there and we take
// it, or the writer's send fails and it knows that its write came late. If we are killed while
// waiting, its send fails too, and the late writes bring the device home.

namespace {

struct Answer {
  pid_t pid = 0;
  int error_number = 0;
  ssize_t written = -1;
};

// --- in the writer: async-signal-safe calls only, no memory is allocated ---

bool send_answer(int socket_fd, const Answer& answer) {
  return ::send(socket_fd, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer;
}

struct Writing {
  const ChildWrite& write;
  int socket_fd;
};

void be_the_writer(void* argument) {
  const auto& [write, socket_fd] = *static_cast<const Writing*>(argument);
  Answer answer = {.pid = ::getpid(), .error_number = 0, .written = -1};
  send_answer(socket_fd, answer);
  answer.written = ::write(write.target_fd, write.text.data(), write.text.size());
  answer.error_number = answer.written < 0 ? errno : 0;
  if (send_answer(socket_fd, answer)) return;
  for (const auto& late : write.if_it_comes_late) {
    int fd = open_in_root(write.root_fd, late.path.c_str(), O_WRONLY | O_NOCTTY);
    if (fd < 0) continue;
    [[maybe_unused]] auto ignored = ::write(fd, late.text.data(), late.text.size());
    ::close(fd);
  }
}

// --- in the caller ---

int start_writer(const ChildWrite& write, int socket_fd) {
  std::array<int, 3> kept = {write.target_fd, write.root_fd, socket_fd};
  Writing writing{write, socket_fd};
  return start_orphan({"tessera-write", kept, be_the_writer, &writing});
}

bool take_answer(int fd, int flags, Answer& answer) {
  ssize_t size = 0;
  do {
    size = ::recv(fd, &answer, sizeof answer, flags);
  } while (size < 0 && errno == EINTR);
  return size == sizeof answer;
}

std::string quoted(std::string_view text) {
  return fmt::format("'{}'", text::printable(text::trim(text)));
}

std::string in_words(Milliseconds duration) {
  if (duration < std::chrono::seconds(1)) return fmt::format("{} ms", duration.count());
  auto tenths = duration.count() / 100;
  return fmt::format("{:g} s", static_cast<double>(tenths) / 10);
}

Error still_waiting(const ChildWrite& write, pid_t writer, Milliseconds waited) {
  Error error = {.kind = ErrorKind::timeout,
                 .subject = std::string(write.path),
                 .sentence = fmt::format("the kernel has not answered the write of {} after {}; "
                                         "process {} still waits in it",
                                         quoted(write.text), in_words(waited), writer),
                 .hint = "something still uses the device: end its user (`tessera show` names it)"};
  if (!write.if_it_comes_late.empty()) {
    error.hint += fmt::format("; when the kernel answers, process {} undoes the write", writer);
  }
  return error;
}

Error writer_died(const ChildWrite& write) {
  return {.kind = ErrorKind::io,
          .subject = std::string(write.path),
          .sentence = fmt::format("the process that wrote {} was killed before the kernel answered",
                                  quoted(write.text)),
          .hint = {}};
}

Status judge(const ChildWrite& write, const Answer& answer) {
  if (answer.error_number != 0) {
    return fail(error_from_errno(answer.error_number, write.path,
                                 fmt::format("write {} to", quoted(write.text))));
  }
  if (static_cast<std::size_t>(answer.written) != write.text.size()) {
    return fail(ErrorKind::io, std::string(write.path),
                fmt::format("the kernel took only {} of the {} bytes of {}", answer.written,
                            write.text.size(), quoted(write.text)));
  }
  return {};
}

}  // namespace

Status write_in_child(const ChildWrite& write, Deadline deadline) {
  auto started = deadline.left();
  std::array<int, 2> pair = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail(error_from_errno(errno, write.path, "make a socket pair to write to"));
  }
  Fd ours(pair[0]);
  Fd theirs(pair[1]);
  if (int problem = start_writer(write, theirs.get()); problem != 0) {
    return fail(error_from_errno(problem, write.path, "start a process to write to"));
  }
  theirs.reset();
  Answer answer;
  if (!take_answer(ours.get(), 0, answer)) return fail(writer_died(write));
  pid_t writer = answer.pid;
  if (!wait_until_ready(ours.get(), POLLIN, deadline)) {
    ::shutdown(ours.get(), SHUT_RD);
    if (!take_answer(ours.get(), MSG_DONTWAIT, answer)) {
      return fail(still_waiting(write, writer, started));
    }
    return judge(write, answer);
  }
  if (!take_answer(ours.get(), MSG_DONTWAIT, answer)) return fail(writer_died(write));
  return judge(write, answer);
}

}  // namespace tessera::kernel
