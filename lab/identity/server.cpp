// SPDX-License-Identifier: Apache-2.0
#include "identity/server.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/unix_socket.h"
#include "identity/session.h"

namespace tessera::identity {
namespace {

constexpr std::size_t max_fds = 16, max_line = 256, max_controls = 4;
constexpr int socket_backlog = 4;

// Takes away a socket file that nobody serves any more; anything else of that name stays.
Status clear_stale(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode))
    return fail(ErrorKind::invalid, path, "it exists and is not a socket", "choose another path");
  if (connect_unix(path, "nobody serves on it"))
    return fail(ErrorKind::busy, path, "another process serves on it");
  if (unlink(path.c_str()) != 0) return fail(error_from_errno(errno, path, "replace"));
  return {};
}

Result<Fd> listen_on(const std::string& path) {
  TRY(clear_stale(path));
  return listen_unix(path, socket_backlog);
}

Result<Fd> open_log(const std::string& path) {
  if (path.empty()) return Fd();
  Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd.valid()) return fail(error_from_errno(errno, path, "open"));
  return fd;
}

Result<Fd> end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  Fd fd(signalfd(-1, &set, SFD_CLOEXEC));
  if (!fd.valid()) return fail(error_from_errno(errno, "signalfd", "open"));
  return fd;
}

void take_fds(msghdr& message, std::vector<Fd>& into) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      into.emplace_back(fd);
    }
  }
}

// Sends all of the reply, its descriptor with the first byte; false when the client is gone.
bool send_reply(int to, const Reply& reply) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  std::size_t sent = 0;
  while (sent < reply.bytes.size()) {
    iovec data{const_cast<std::byte*>(reply.bytes.data()) + sent, reply.bytes.size() - sent};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (sent == 0 && reply.fd >= 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(c), &reply.fd, sizeof(int));
    }
    ssize_t n = sendmsg(to, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

// One person or script that turns knobs.
struct Control {
  Fd fd;
  std::string line;
};

enum class Stream { open, ended };

}  // namespace

struct Server::State {
  State(Device d, ServerPaths p)
      : device(std::move(d)),
        paths(std::move(p)),
        session(device, [this](const std::string& line) { log(line); }) {}

  void log(const std::string& line) const;
  Stream receive();
  Stream serve();
  void accept_client();
  void accept_control();
  Stream listen_to(Control& control);
  std::string obey(const std::string& line);
  std::string status() const;

  Device device;
  ServerPaths paths;
  Session session;
  Fd listener, control_listener, log_file, signals, client;
  std::vector<Control> controls;
  Bytes message;  ///< what has arrived of the present message, never more than it
  std::vector<Fd> message_fds;
  bool spoken = false;    ///< the client has sent something; before, it was only a knock
  bool withheld = false;  ///< a whole message waits for the knob
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

void Server::State::log(const std::string& line) const {
  if (!log_file.valid()) return;
  std::chrono::duration<double> since = std::chrono::steady_clock::now() - start;
  std::string text = fmt::format("{:9.3f} {}\n", since.count(), line);
  (void)!write(log_file.get(), text.data(), text.size());  // a full disk must not stop the card
}

// Reads what there is, up to the end of the present message, so that descriptors stay with theirs.
Stream Server::State::receive() {
  std::size_t whole = header_size;
  if (message.size() >= header_size) {
    auto header = parse_header(message);
    if (!header) return Stream::ended;
    whole = header->size;
  }
  std::size_t have = message.size();
  if (have == whole) return Stream::open;
  message.resize(whole);
  iovec data{message.data() + have, whole - have};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(max_fds * sizeof(int))> control{};
  msghdr head{};
  head.msg_iov = &data;
  head.msg_iovlen = 1;
  head.msg_control = control.data();
  head.msg_controllen = control.size();
  ssize_t n = recvmsg(client.get(), &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  int why = errno;
  message.resize(have + static_cast<std::size_t>(n > 0 ? n : 0));
  if (n < 0) return why == EAGAIN || why == EINTR ? Stream::open : Stream::ended;
  if (n == 0) return Stream::ended;
  spoken = true;
  take_fds(head, message_fds);
  return message_fds.size() > max_fds ? Stream::ended : Stream::open;
}

// Carries out the message if all of it is here.
Stream Server::State::serve() {
  if (message.size() < header_size) return Stream::open;
  auto header = parse_header(message);
  if (!header) {
    log("hung up: " + one_line(header.error()));
    return Stream::ended;
  }
  if (message.size() < header->size) return Stream::open;
  ByteView payload = ByteView(message).subspan(header_size);
  bool hangs = session.withheld(*header, payload);
  if (hangs && !withheld) log(fmt::format("hanging: command {} is not answered", header->command));
  withheld = hangs;
  if (hangs) return Stream::open;
  Reply reply = session.handle(*header, payload, std::exchange(message_fds, {}));
  message.clear();
  return send_reply(client.get(), reply) ? Stream::open : Stream::ended;
}

void Server::State::accept_client() {
  client = Fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client.valid()) return;
  timeval patience{5, 0};
  (void)setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  log("client connected");
}

void Server::State::accept_control() {
  Fd fd(accept4(control_listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd.valid()) controls.push_back({std::move(fd), {}});
}

Stream Server::State::listen_to(Control& control) {
  std::array<char, max_line> buffer{};
  ssize_t n = read(control.fd.get(), buffer.data(), buffer.size());
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Stream::open : Stream::ended;
  if (n == 0) return Stream::ended;
  control.line.append(buffer.data(), static_cast<std::size_t>(n));
  for (auto end = control.line.find('\n'); end != std::string::npos;
       end = control.line.find('\n')) {
    std::string answer = obey(std::string(text::trim(control.line.substr(0, end)))) + "\n";
    control.line.erase(0, end + 1);
    if (send(control.fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0)
      return Stream::ended;
  }
  return control.line.size() > max_line ? Stream::ended : Stream::open;
}

std::string Server::State::obey(const std::string& line) {
  if (line == "status") return status();
  if (line == "interrupt")
    return session.interrupt() ? "ok" : "error: the client does not listen for interrupts";
  auto turned = device.turn(line);
  if (!turned) return "error: " + one_line(turned.error());
  log("knob " + line);
  return "ok";
}

std::string Server::State::status() const {
  const Faults& faults = device.faults();
  return fmt::format("{} {} hanging={} resets: function={} power={} bus={}",
                     spoken ? "connected" : "waiting",
                     faults.bus == Faults::Bus::gone ? "gone" : "present", withheld ? "yes" : "no",
                     device.resets(ResetKind::function), device.resets(ResetKind::power),
                     device.resets(ResetKind::bus));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;

Server::~Server() {
  if (!state_) return;
  if (state_->listener.valid()) (void)unlink(state_->paths.socket.c_str());
  if (state_->control_listener.valid()) (void)unlink(state_->paths.control.c_str());
}

Result<Server> Server::open(Device device, const ServerPaths& paths) {
  Server server(std::make_unique<State>(std::move(device), paths));
  State& state = *server.state_;
  TRY_LET(state.log_file, open_log(paths.log));
  TRY_LET(state.signals, end_signals());
  TRY_LET(state.listener, listen_on(paths.socket));
  if (!paths.control.empty()) {
    TRY_LET(state.control_listener, listen_on(paths.control));
  }
  return server;
}

Status Server::run(Deadline first_client) {
  State& s = *state_;
  for (;;) {
    // A descriptor of -1 is skipped by poll(2): nobody to accept, or not now.
    bool room = s.controls.size() < max_controls;
    std::vector<pollfd> waits{{s.signals.get(), POLLIN, 0},
                              {s.client.valid() ? -1 : s.listener.get(), POLLIN, 0},
                              {room ? s.control_listener.get() : -1, POLLIN, 0},
                              {s.client.get(), static_cast<short>(s.withheld ? 0 : POLLIN), 0}};
    constexpr std::size_t first_control = 4;
    for (const Control& control : s.controls) waits.push_back({control.fd.get(), POLLIN, 0});
    int timeout = s.spoken ? -1 : static_cast<int>(first_client.left().count());
    int ready = poll(waits.data(), waits.size(), timeout);
    if (ready < 0 && errno != EINTR)
      return fail(error_from_errno(errno, s.paths.socket, "wait on"));
    if (ready == 0 && !s.spoken)
      return fail(ErrorKind::timeout, s.paths.socket, "no machine came to use the card");
    if (ready <= 0) continue;
    if (waits[0].revents != 0) return {};
    for (std::size_t i = s.controls.size(); i-- > 0;)
      if (waits[first_control + i].revents != 0 && s.listen_to(s.controls[i]) == Stream::ended)
        s.controls.erase(s.controls.begin() + static_cast<std::ptrdiff_t>(i));
    if (waits[2].revents != 0) s.accept_control();
    if (waits[1].revents != 0) s.accept_client();
    if (waits[3].revents != 0 && !s.withheld && s.receive() == Stream::ended) {
      if (s.spoken) break;
      s.client
          .reset();  // only a knock, as of a second card that wants to know whether this one lives
    }
    if ((waits[3].revents & (POLLHUP | POLLERR)) != 0 && s.withheld) break;
    if (s.client.valid() && s.serve() == Stream::ended) break;
  }
  s.log("client left");
  return {};
}

}  // namespace tessera::identity
