// SPDX-License-Identifier: Apache-2.0
#include "lab/client.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/unix_socket.h"
#include "base/wait.h"

namespace tessera::lab {
namespace {

using nlohmann::json;

constexpr std::size_t input_chunk = 32UZ * 1024;
constexpr Milliseconds local_patience = std::chrono::hours(24);

/// SIGWINCH as a descriptor, for as long as it lives.
class WindowChanges {
 public:
  explicit WindowChanges(bool wanted) {
    if (!wanted) return;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, &before_);
    fd_ = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  WindowChanges(const WindowChanges&) = delete;
  WindowChanges& operator=(const WindowChanges&) = delete;
  ~WindowChanges() {
    if (fd_.valid()) sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  [[nodiscard]] int get() const { return fd_.get(); }

 private:
  sigset_t before_{};
  Fd fd_;
};

/// One command on the wire: carries bytes both ways until the agent reports its end.
class Conversation {
 public:
  Conversation(int socket, LineBuffer& lines, const LocalStreams& streams, Milliseconds patience)
      : socket_(socket), lines_(lines), streams_(streams), patience_(patience) {}

  Result<int> hold(const Command& command) {
    name_ = command.argv.front();
    send_run(command);
    WindowChanges changes(command.terminal.has_value());
    if (streams_.in < 0) send({{"in", ""}});
    while (!end_) {
      pollfd wanted[3] = {
          {socket_, static_cast<short>(POLLIN | (outgoing_.empty() ? 0 : POLLOUT)), 0},
          {outgoing_.empty() ? streams_.in : -1, POLLIN, 0},
          {changes.get(), POLLIN, 0}};
      const int ready = poll(wanted, 3, static_cast<int>(silence_.left().count()));
      if (ready < 0 && errno != EINTR)
        return fail(error_from_errno(errno, "lab", "wait for the agent of"));
      if (ready == 0 && silence_.passed()) return silent();
      if (wanted[2].revents != 0) pass_window_on(changes.get());
      if (wanted[1].revents != 0) pass_input_on();
      if ((wanted[0].revents & POLLOUT) != 0) TRY(flush());
      if ((wanted[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) TRY(receive());
    }
    return std::move(*end_);
  }

 private:
  void send(const json& message) { outgoing_ += message.dump() + "\n"; }

  void send_run(const Command& command) {
    json run{{"argv", command.argv}, {"env", command.env}, {"cwd", command.cwd}};
    if (command.deadline) run["deadline_ms"] = command.deadline->count();
    if (command.terminal)
      run["terminal"] = {{"rows", command.terminal->rows}, {"columns", command.terminal->columns}};
    send({{"run", run}});
  }

  void pass_window_on(int changes) {
    signalfd_siginfo what;
    while (read(changes, &what, sizeof what) == sizeof what) continue;
    WindowSize size = RawTerminal::size(streams_.in);
    send({{"window", {{"rows", size.rows}, {"columns", size.columns}}}});
  }

  void pass_input_on() {
    std::string bytes(input_chunk, '\0');
    ssize_t got = read(streams_.in, bytes.data(), bytes.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    send({{"in", base64(bytes)}});
    if (bytes.empty()) streams_.in = -1;
  }

  Status flush() {
    ssize_t put = ::send(socket_, outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && errno != EINTR && errno != EAGAIN) return host_ended();
    if (put > 0) outgoing_.erase(0, static_cast<std::size_t>(put));
    return {};
  }

  Status receive() {
    std::string bytes(4 * input_chunk, '\0');
    ssize_t got = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (got <= 0) return host_ended();
    silence_ = Deadline::in(patience_);
    lines_.add({bytes.data(), static_cast<std::size_t>(got)});
    while (auto line = lines_.next()) {
      json message = parse_message(*line);
      try {
        if (!message.is_null()) TRY(take(message));
      } catch (const json::exception&) {
        return fail(ErrorKind::io, "lab agent", "the agent's answer makes no sense");
      }
    }
    return {};
  }

  Status take(const json& message) {
    if (message.contains("out"))
      return write_all(streams_.out, from_base64(message["out"].get<std::string>()).value_or(""),
                       Deadline::in(local_patience));
    if (message.contains("err"))
      return write_all(streams_.err, from_base64(message["err"].get<std::string>()).value_or(""),
                       Deadline::in(local_patience));
    if (message.contains("exit")) end_ = message["exit"].get<int>();
    if (message.contains("signal")) end_ = 128 + message["signal"].get<int>();
    if (message.contains("late"))
      return fail(ErrorKind::timeout, name_, "the command was ended at its deadline");
    if (message.contains("error"))
      return fail(ErrorKind::invalid, name_,
                  fmt::format("the host's agent says: {}", message["error"].get<std::string>()));
    return {};
  }

  static Status host_ended() {
    return fail(ErrorKind::io, "lab", "the virtual host ended before the command did",
                "its console is in serial.log, `tessera lab list` says where");
  }

  [[nodiscard]] std::unexpected<Error> silent() const {
    return fail(ErrorKind::io, "lab",
                fmt::format("the virtual host has said nothing for {} s: its kernel does not run "
                            "any more",
                            patience_.count() / 1000));
  }

  int socket_;
  LineBuffer& lines_;
  LocalStreams streams_;
  Milliseconds patience_;
  Deadline silence_ = Deadline::in(patience_);  // until when something must be heard
  std::string name_;
  std::string outgoing_;
  std::optional<Result<int>> end_;
};

std::string make_nonce() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace

Result<AgentClient> AgentClient::connect(const std::string& socket_path, Deadline deadline) {
  TRY_LET(Fd socket, connect_unix(socket_path, "no virtual host listens on this socket"));
  return over(std::move(socket), deadline);
}

Result<AgentClient> AgentClient::over(Fd connected, Deadline deadline) {
  AgentClient client(std::move(connected));
  TRY(client.greet(deadline));
  return client;
}

Status AgentClient::greet(Deadline deadline) {
  const json hello{{"hello", make_nonce()}};
  TRY(write_all(socket_.get(), "\n" + hello.dump() + "\n", deadline));
  for (;;) {
    TRY_LET(const json message, next_message(deadline));
    if (message == hello) return {};
  }
}

Status AgentClient::enter(Deadline deadline) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const json enter{{"enter", {{"time_ms", std::chrono::duration_cast<Milliseconds>(now).count()}}}};
  TRY(write_all(socket_.get(), enter.dump() + "\n", deadline));
  TRY_LET(const json message, next_message(deadline));
  if (message.contains("entered")) return {};
  return fail(ErrorKind::io, "lab",
              fmt::format("the virtual host booted, but {}",
                          message.value("error", "its agent's answer makes no sense")));
}

Result<json> AgentClient::next_message(Deadline deadline) {
  for (;;) {
    while (auto line = lines_.next()) {
      json message = parse_message(*line);
      if (!message.is_null()) return message;
    }
    if (!wait_until_ready(socket_.get(), POLLIN, deadline))
      return fail(ErrorKind::timeout, "lab", "the virtual host does not answer");
    char bytes[4096];
    ssize_t got = recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
      return fail(ErrorKind::io, "lab", "the virtual host ended before it was up");
    if (got > 0) lines_.add({bytes, static_cast<std::size_t>(got)});
  }
}

Result<int> AgentClient::run(const Command& command, const LocalStreams& streams,
                             Milliseconds patience) {
  return Conversation(socket_.get(), lines_, streams, patience).hold(command);
}

RawTerminal::RawTerminal(int fd) : fd_(fd) {
  termios now{};
  if (tcgetattr(fd, &now) != 0) return;
  saved_.assign(reinterpret_cast<const char*>(&now), sizeof now);
  cfmakeraw(&now);
  tcsetattr(fd, TCSADRAIN, &now);
}

RawTerminal::~RawTerminal() {
  if (saved_.empty()) return;
  termios before{};
  std::memcpy(&before, saved_.data(), sizeof before);
  tcsetattr(fd_, TCSADRAIN, &before);
}

WindowSize RawTerminal::size(int fd) {
  winsize window{};
  if (ioctl(fd, TIOCGWINSZ, &window) != 0 || window.ws_row == 0) return {};
  return {window.ws_row, window.ws_col};
}

}  // namespace tessera::lab
