// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/qmp.h"

#include <cerrno>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "base/unix_socket.h"
#include "base/wait.h"

namespace tessera::hypervisor {
namespace {

using nlohmann::json;

constexpr std::size_t longest_line = 16U << 20U;
constexpr std::size_t most_events = 256;  // of those that nobody waits for

Status wait_for(int fd, short events, const std::string& name, Deadline deadline) {
  if (wait_until_ready(fd, events, deadline)) return {};
  return fail(ErrorKind::timeout, name, "QEMU did not answer in time");
}

}  // namespace

Result<Qmp> Qmp::connect(const std::string& socket_path, Deadline deadline) {
  TRY_LET(Fd socket, connect_unix(socket_path, "no QEMU listens on this socket"));
  return over(std::move(socket), socket_path, deadline);
}

Result<Qmp> Qmp::over(Fd connected, std::string name, Deadline deadline) {
  Qmp qmp(std::move(connected), std::move(name));
  TRY_LET(json greeting, qmp.next_message(deadline));
  if (!greeting.contains("QMP"))
    return fail(ErrorKind::io, qmp.name_, "the greeting is not that of QEMU's machine protocol");
  TRY(qmp.execute("qmp_capabilities", json::object(), deadline));
  return qmp;
}

Result<json> Qmp::execute(std::string_view command, const json& arguments, Deadline deadline) {
  json request{{"execute", command}};
  if (!arguments.empty()) request["arguments"] = arguments;
  TRY(send(request.dump() + "\n", deadline));
  for (;;) {
    TRY_LET(json message, next_message(deadline));
    if (message.contains("return")) return message["return"];
    if (auto error = message.find("error"); error != message.end()) {
      std::string words = error->is_object() ? error->value("desc", std::string()) : "";
      return fail(ErrorKind::invalid, std::string(command),
                  words.empty() ? "QEMU refused the command without a word"
                                : fmt::format("QEMU says: {}", words));
    }
    if (!message.contains("event"))
      return fail(ErrorKind::io, name_, "QEMU sent neither an answer nor an event");
    if (events_.size() == most_events) events_.erase(events_.begin());
    events_.push_back(message.dump());
  }
}

Result<json> Qmp::wait_for_event(std::string_view name, Deadline deadline) {
  for (;;) {
    json message;
    if (events_.empty()) {
      TRY_LET(message, next_message(deadline));
    } else {
      message = json::parse(events_.front());
      events_.erase(events_.begin());
    }
    if (message.value("event", "") == name) return message;
  }
}

Result<json> Qmp::next_message(Deadline deadline) {
  TRY_LET(std::string line, next_line(deadline));
  json message = json::parse(line, nullptr, false);
  if (!message.is_object())
    return fail(ErrorKind::io, name_, "QEMU sent something that is no JSON object");
  return message;
}

Result<std::string> Qmp::next_line(Deadline deadline) {
  for (;;) {
    if (auto end = received_.find('\n'); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    if (received_.size() > longest_line)
      return fail(ErrorKind::io, name_, "QEMU sent an endless line");
    TRY(wait_for(socket_.get(), POLLIN, name_, deadline));
    char buffer[16384];
    ssize_t got = recv(socket_.get(), buffer, sizeof buffer, 0);
    if (got == 0) return fail(ErrorKind::io, name_, "QEMU hung up");
    if (got < 0 && errno != EINTR && errno != EAGAIN)
      return fail(error_from_errno(errno, name_, "read from"));
    if (got > 0) received_.append(buffer, static_cast<std::size_t>(got));
  }
}

Status Qmp::send(const std::string& line, Deadline deadline) {
  std::size_t sent = 0;
  while (sent < line.size()) {
    TRY(wait_for(socket_.get(), POLLOUT, name_, deadline));
    ssize_t put =
        ::send(socket_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && errno != EINTR && errno != EAGAIN) {
      if (errno == EPIPE) return fail(ErrorKind::io, name_, "QEMU hung up");
      return fail(error_from_errno(errno, name_, "write to"));
    }
    if (put > 0) sent += static_cast<std::size_t>(put);
  }
  return {};
}

}  // namespace tessera::hypervisor
