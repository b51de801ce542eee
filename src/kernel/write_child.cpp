// SPDX-License-Identifier: Apache-2.0
#include "kernel/write_child.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

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
// waiting, its send fails too, and the late writes bring the device home. So each answer that
// cannot be sent is the writer's last; and when it finds nobody there to ask for more, it ends.

namespace {

struct Answer {
  pid_t pid = 0;
  int error_number = 0;
  ssize_t written = -1;
};

// An order is one message: pieces, each its size, its bytes and a NUL; first the text, then a path
// and a text for each late write. With it come the file that is written and the root of the paths.

constexpr std::size_t order_files = 2;
constexpr std::size_t longest_order = std::size_t{1} << 18;  // more than a socket takes by default
using PieceSize = std::uint32_t;

// --- in the writer: async-signal-safe calls only, no memory is allocated ---

bool send_answer(int socket_fd, const Answer& answer) {
  return ::send(socket_fd, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer;
}

/// In the writer only, which is a copy of its caller: its pages come into being as they are used.
std::array<char, longest_order> order_text;  // NOLINT(*-avoid-non-const-global-variables)

struct Order {
  std::array<int, order_files> files = {-1, -1};  ///< what is written, and the root
  const char* next = nullptr;                     ///< the piece that is read next
  const char* end = nullptr;
};

struct Piece {
  const char* text = nullptr;  ///< null: there is none
  std::size_t size = 0;
};

Piece take_piece(Order& order) {
  PieceSize size = 0;
  if (order.end - order.next < static_cast<std::ptrdiff_t>(sizeof size)) return {};
  std::memcpy(&size, order.next, sizeof size);
  const Piece piece{order.next + sizeof size, size};
  order.next = piece.text + size + 1;
  return piece;
}

/// False when the caller is gone.
bool take_order(int socket_fd, Order& order) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof order.files)> control;
  iovec text{order_text.data(), order_text.size()};
  msghdr message = {};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  const cmsghdr* files = CMSG_FIRSTHDR(&message);
  if (size <= 0 || files == nullptr || files->cmsg_len != CMSG_LEN(sizeof order.files))
    return false;
  std::memcpy(order.files.data(), CMSG_DATA(files), sizeof order.files);
  order.next = order_text.data();
  order.end = order.next + size;
  return true;
}

void write_late(Order& order) {
  for (;;) {
    const Piece path = take_piece(order);
    const Piece text = take_piece(order);
    if (text.text == nullptr) return;
    const int fd = open_in_root(order.files[1], path.text, O_WRONLY | O_NOCTTY);
    if (fd < 0) continue;
    [[maybe_unused]] auto ignored = ::write(fd, text.text, text.size);
    ::close(fd);
  }
}

/// Whether there may be more to do.
bool carry_out(Order& order, int socket_fd, Answer& answer) {
  const Piece text = take_piece(order);
  answer.written = ::write(order.files[0], text.text, text.size);
  answer.error_number = answer.written < 0 ? errno : 0;
  const bool in_time = send_answer(socket_fd, answer);
  if (!in_time) write_late(order);
  for (int fd : order.files) ::close(fd);
  return in_time;
}

void be_the_writer(void* argument) {
  const int socket_fd = *static_cast<const int*>(argument);
  Answer answer = {.pid = ::getpid(), .error_number = 0, .written = -1};
  send_answer(socket_fd, answer);
  Order order;
  while (take_order(socket_fd, order) && carry_out(order, socket_fd, answer)) {
  }
}

// --- in the caller ---

void add_piece(std::string& order, std::string_view piece) {
  const auto size = static_cast<PieceSize>(piece.size());
  order.append(reinterpret_cast<const char*>(&size), sizeof size);
  order.append(piece);
  order.push_back('\0');
}

std::string order_of(const ChildWrite& write) {
  std::string order;
  add_piece(order, write.text);
  for (const auto& late : write.if_it_comes_late) {
    add_piece(order, late.path);
    add_piece(order, late.text);
  }
  return order;
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

Status WriteChild::start(std::string_view path) {
  std::array<int, 2> pair = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail(error_from_errno(errno, path, "make a socket pair to write to"));
  }
  Fd ours(pair[0]);
  Fd theirs(pair[1]);
  std::array<int, 1> kept = {theirs.get()};
  int socket_fd = theirs.get();
  if (int problem = start_orphan({"tessera-write", kept, be_the_writer, &socket_fd});
      problem != 0) {
    return fail(error_from_errno(problem, path, "start a process to write to"));
  }
  theirs.reset();
  Answer hello;
  if (!take_answer(ours.get(), 0, hello)) {
    return fail(ErrorKind::io, std::string(path), "the process that was to write was killed");
  }
  socket_ = std::move(ours);
  writer_ = hello.pid;
  return {};
}

/// 0, or the errno: EPIPE and ECONNRESET when there is no such process any more, and nothing was
/// done.
int WriteChild::ask(const ChildWrite& write) const {
  std::string order = order_of(write);
  if (order.size() > longest_order) return EMSGSIZE;
  const std::array<int, order_files> files = {write.target_fd, write.root_fd};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof files)> control = {};
  iovec text{order.data(), order.size()};
  msghdr message = {};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof files);
  std::memcpy(CMSG_DATA(header), files.data(), sizeof files);
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

Status WriteChild::write(const ChildWrite& write, Deadline deadline) {
  const auto patience = deadline.left();
  int problem = socket_.valid() ? ask(write) : EPIPE;
  if (problem == EPIPE || problem == ECONNRESET) {
    TRY(start(write.path));
    problem = ask(write);
  }
  if (problem != 0) return fail(error_from_errno(problem, write.path, "write to"));
  Answer answer;
  if (wait_until_ready(socket_.get(), POLLIN, deadline)) {
    if (take_answer(socket_.get(), MSG_DONTWAIT, answer)) return judge(write, answer);
    socket_.reset();
    return fail(writer_died(write));
  }
  const Fd given_up = std::move(socket_);
  ::shutdown(given_up.get(), SHUT_RD);
  if (take_answer(given_up.get(), MSG_DONTWAIT, answer)) return judge(write, answer);
  return fail(still_waiting(write, writer_, patience));
}

}  // namespace tessera::kernel
