// SPDX-License-Identifier: Apache-2.0
#include "kernel/uevent.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "base/wait.h"
#include "kernel/files.h"

namespace tessera::kernel {

namespace {

constexpr unsigned kernel_group = 1;             // group 2 is udevd's own messages
constexpr int receive_buffer = 8 * 1024 * 1024;  // a card with 64 VFs sends bursts

Result<Fd> open_netlink() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
  if (!fd.valid()) return fail(error_from_errno(errno, "uevents", "open the kernel's socket of"));
  // FORCE needs CAP_NET_ADMIN; without it the plain one is cut to net.core.rmem_max.
  int size = receive_buffer;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kernel_group;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return fail(error_from_errno(errno, "uevents", "listen to"));
  }
  return fd;
}

enum class Drained { nothing_new, news, ended };

/// One message from the socket, or from a rehearsal host's file.
ssize_t take_message(int fd, bool& from_kernel) {
  std::array<char, 16384> message;
  sockaddr_nl sender = {};
  socklen_t sender_size = sizeof sender;
  ssize_t size = ::recvfrom(fd, message.data(), message.size(), 0,
                            reinterpret_cast<sockaddr*>(&sender), &sender_size);
  from_kernel = size > 0 && sender.nl_pid == 0;
  if (size >= 0 || errno != ENOTSOCK) return size;
  size = ::read(fd, message.data(), message.size());
  from_kernel = size > 0;
  return size;
}

Drained drain(int fd) {
  auto drained = Drained::nothing_new;
  for (;;) {
    bool from_kernel = false;
    ssize_t size = take_message(fd, from_kernel);
    if (from_kernel) drained = Drained::news;
    if (size > 0 || (size < 0 && errno == EINTR)) continue;
    if (size == 0) return Drained::ended;
    if (errno == EAGAIN) return drained;
    if (errno != ENOBUFS) return Drained::ended;
    drained = Drained::news;  // messages were lost: one of them may have been ours
  }
}

}  // namespace

Result<Uevent> parse_uevent(std::string_view message) {
  auto invalid = [](std::string sentence) {
    return fail(ErrorKind::invalid, "uevent", std::move(sentence));
  };
  auto fields = text::split(message, '\0');
  auto header = fields.front();
  auto at = header.find('@');
  if (at == std::string_view::npos || at == 0 || !header.substr(at + 1).starts_with('/')) {
    return invalid(fmt::format("'{}' is not ACTION@DEVPATH", text::printable(header)));
  }
  Uevent event = {.action = std::string(header.substr(0, at)),
                  .devpath = std::string(header.substr(at + 1)),
                  .driver = {}};
  constexpr std::string_view action_key = "ACTION=";
  constexpr std::string_view driver_key = "DRIVER=";
  for (auto field : fields) {
    if (field.starts_with(driver_key)) event.driver = field.substr(driver_key.size());
    if (!field.starts_with(action_key)) continue;
    if (field.substr(action_key.size()) == event.action) continue;
    return invalid(fmt::format("its header says '{}', its {}", text::printable(event.action),
                               text::printable(field)));
  }
  return event;
}

Result<UeventListener> UeventListener::open(const Root& root) {
  if (root.kind() == Root::Kind::live) {
    TRY_LET(Fd fd, open_netlink());
    return UeventListener(std::move(fd));
  }
  if (root.kind() == Root::Kind::directory && root.exists(files::rehearsal_uevents)) {
    TRY_LET(Fd fd, root.open_file(files::rehearsal_uevents, O_RDONLY | O_NONBLOCK));
    return UeventListener(std::move(fd));
  }
  return UeventListener(Fd());
}

bool UeventListener::wait_until(const std::function<bool()>& holds, Deadline deadline) {
  if (holds()) return true;
  if (!fd_.valid()) return false;
  while (wait_until_ready(fd_.get(), POLLIN, deadline)) {
    switch (drain(fd_.get())) {
      case Drained::nothing_new:
        break;
      case Drained::ended:
        return holds();
      case Drained::news:
        if (holds()) return true;
    }
    if (deadline.passed()) break;
  }
  return holds();
}

}  // namespace tessera::kernel
