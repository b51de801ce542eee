// SPDX-License-Identifier: Apache-2.0
#include "lab/agent.h"

#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "kernel/child_process.h"
#include "lab/child.h"

namespace tessera::lab {
namespace {

using nlohmann::json;

constexpr std::size_t output_chunk = 48UZ * 1024;
constexpr std::size_t most_input_waiting = 256UZ * 1024;
constexpr Milliseconds client_patience = std::chrono::hours(1);

/// Reads once. Nothing: no bytes now. Empty: the end (EIO is a terminal's).
std::optional<std::string> read_some(int fd) {
  std::string bytes(output_chunk, '\0');
  ssize_t got = read(fd, bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

Command command_from(const json& run) {
  Command command;
  command.argv = run.value("argv", std::vector<std::string>());
  command.env = run.value("env", std::map<std::string, std::string>());
  command.cwd = run.value("cwd", std::string());
  if (run.contains("deadline_ms")) command.deadline = Milliseconds(run["deadline_ms"].get<long>());
  if (auto size = run.find("terminal"); size != run.end())
    command.terminal = WindowSize{size->value("rows", static_cast<unsigned short>(24)),
                                  size->value("columns", static_cast<unsigned short>(80))};
  return command;
}

class Agent {
 public:
  Agent(Fd port, WhenGone when_gone, const EnterHost& enter, Milliseconds beat)
      : port_(std::move(port)), when_gone_(when_gone), enter_host_(enter), beat_(beat) {}

  Status serve() {
    epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
    timer_ = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    fcntl(port_.get(), F_SETFL, fcntl(port_.get(), F_GETFL) | O_NONBLOCK);
    // Edge-triggered: a virtio port without a client is "readable" for ever. EPOLLOUT tells that
    // one has come.
    watch(port_.get(), EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP);
    heart_ = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    watch(timer_.get(), EPOLLIN);
    watch(heart_.get(), EPOLLIN);
    while (!done_) {
      epoll_event event{};
      int count = epoll_wait(epoll_.get(), &event, 1, -1);
      if (count < 0 && errno != EINTR)
        return fail(error_from_errno(errno, "lab agent", "wait for events of"));
      if (count == 1) on_event(event.data.fd, event.events);
    }
    return {};
  }

 private:
  void watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  // Said explicitly: closing is not enough where a terminal's other descriptor stays open.
  void unwatch(const Fd& fd) {
    if (fd.valid()) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
  }

  void on_event(int fd, std::uint32_t events) {
    if (fd == port_.get()) return on_port(events);
    if (fd == timer_.get()) return on_late();
    if (fd == heart_.get()) return on_heartbeat();
    if (child_ && fd == child_->pidfd.get()) return on_end();
    if (child_ && fd == child_->out.get()) return (void)forward(child_->out, "out");
    if (child_ && fd == child_->err.get()) return (void)forward(child_->err, "err");
    if (child_ && fd == child_->in.get()) return on_room_for_input();
    for (auto killed = killed_.begin(); killed != killed_.end(); ++killed) {
      if (killed->get() != fd) continue;
      siginfo_t gone;
      waitid(P_PIDFD, static_cast<id_t>(fd), &gone, WEXITED | WNOHANG);
      killed_.erase(killed);
      return;
    }
  }

  void on_port(std::uint32_t events) {
    if ((events & EPOLLHUP) == 0) greet();
    for (;;) {
      auto bytes = read_some(port_.get());
      if (!bytes) break;
      if (bytes->empty()) return on_hang_up();
      lines_.add(*bytes);
      obey_lines();
    }
  }

  void on_hang_up() {
    kill_child();
    lines_.clear();
    done_ = when_gone_ == WhenGone::leave;
  }

  void obey_lines() {
    while (input_.size() < most_input_waiting) {
      auto line = lines_.next();
      if (!line) return;
      json message = parse_message(*line);
      if (message.is_null()) continue;
      try {
        obey(message);
      } catch (const json::exception&) {
        tell({{"error", "the agent does not understand this message"}});
      }
    }
  }

  void obey(const json& message) {
    if (auto nonce = message.find("hello"); nonce != message.end()) {
      kill_child();
      greeting_ = "\n" + json{{"hello", *nonce}}.dump() + "\n";
      greet();
    } else if (auto now = message.find("enter"); now != message.end()) {
      enter(now->at("time_ms").get<std::int64_t>());
    } else if (auto run = message.find("run"); run != message.end()) {
      start(command_from(*run));
    } else if (auto bytes = message.find("in"); bytes != message.end() && child_) {
      std::string text = bytes->get<std::string>();
      input_ends_ |= text.empty();
      input_ += from_base64(text).value_or("");
      write_input();
    } else if (auto size = message.find("window"); size != message.end() && child_) {
      winsize window{size->at("rows"), size->at("columns"), 0, 0};
      ioctl(child_->in.get(), TIOCSWINSZ, &window);
    }
  }

  void enter(std::int64_t time_ms) {
    if (!entered_) {
      auto done = enter_host_(std::chrono::system_clock::time_point(Milliseconds(time_ms)));
      if (!done) return tell({{"error", one_line(done.error())}});
    }
    entered_ = true;
    tell({{"entered", true}});
  }

  void start(const Command& command) {
    if (child_) return tell({{"error", "another command is running"}});
    auto child = start_child(command);
    if (!child) return tell({{"error", one_line(child.error())}});
    child_ = std::move(*child);
    set_timer(timer_, command.deadline.value_or(Milliseconds::zero()));
    set_timer(heart_, beat_);
    watch(child_->pidfd.get(), EPOLLIN);
    watch(child_->out.get(), EPOLLIN);
    if (child_->err.valid()) watch(child_->err.get(), EPOLLIN);
    watch(child_->in.get(), EPOLLOUT | EPOLLET);
  }

  static void set_timer(const Fd& timer, Milliseconds after) {
    itimerspec when{};
    when.it_value.tv_sec = after.count() / 1000;
    when.it_value.tv_nsec = after.count() % 1000 * 1000000;
    timerfd_settime(timer.get(), 0, &when, nullptr);
  }

  void on_heartbeat() {
    set_timer(heart_, beat_);
    tell({{"alive", true}});
  }

  // Returns whether there may be more.
  bool forward(Fd& stream, const char* name) {
    auto bytes = read_some(stream.get());
    if (!bytes) return false;
    if (bytes->empty()) {
      unwatch(stream);
      stream.reset();
      return false;
    }
    tell({{name, base64(*bytes)}});
    return child_.has_value();
  }

  void on_room_for_input() {
    write_input();
    obey_lines();
  }

  void write_input() {
    while (!input_.empty() && child_->in.valid()) {
      ssize_t put = write(child_->in.get(), input_.data(), input_.size());
      if (put < 0 && errno == EAGAIN) return;
      if (put < 0 && errno != EINTR) input_.clear();  // it does not read any more
      if (put > 0) input_.erase(0, static_cast<std::size_t>(put));
    }
    if (!input_ends_ || !child_->err.valid()) return;  // a terminal has no end
    unwatch(child_->in);
    child_->in.reset();
  }

  void on_end() {
    auto end = kernel::reap(child_->pidfd);
    while (child_ && child_->out.valid() && forward(child_->out, "out")) continue;
    while (child_ && child_->err.valid() && forward(child_->err, "err")) continue;
    if (!child_) return;
    forget_child();
    if (end.signal != 0) {
      tell({{"signal", end.signal}});
    } else {
      tell({{"exit", end.exit_code}});
    }
  }

  void on_late() {
    set_timer(timer_, Milliseconds::zero());
    kill_child();
    tell({{"late", true}});
  }

  // The dead are waited for when the kernel lets go of them: one can hang in a driver for long.
  void kill_child() {
    if (!child_) return;
    child_->kill_all();
    killed_.push_back(std::exchange(child_->pidfd, Fd()));
    forget_child();
  }

  void forget_child() {
    unwatch(child_->in);
    unwatch(child_->out);
    unwatch(child_->err);
    unwatch(child_->pidfd);
    child_.reset();
    input_.clear();
    input_ends_ = false;
    set_timer(timer_, Milliseconds::zero());
    set_timer(heart_, Milliseconds::zero());
  }

  /// A virtio port hands out a new client's hello before it counts as connected (Linux does the one
  /// in its interrupt, the other in a work item), and cannot be written to until then: the answer
  /// waits for the port's next event.
  void greet() {
    if (greeting_.empty()) return;
    if (write_all(port_.get(), greeting_, Deadline::in(client_patience))) greeting_.clear();
  }

  void tell(const json& message) {
    auto told = write_all(port_.get(), message.dump() + "\n", Deadline::in(client_patience));
    if (!told) on_hang_up();
  }

  Fd port_;
  WhenGone when_gone_;
  const EnterHost& enter_host_;
  Milliseconds beat_;
  bool entered_ = false;
  Fd epoll_;
  Fd timer_;  // the command's deadline
  Fd heart_;  // runs while a command does
  LineBuffer lines_;
  std::string greeting_;  // the answer to a hello; empty when it was given
  std::optional<Child> child_;
  std::string input_;  // bytes for the child that it has not taken yet
  bool input_ends_ = false;
  std::vector<Fd> killed_;  // pidfds not waited for yet
  bool done_ = false;
};

}  // namespace

Status serve_agent(Fd port, WhenGone when_gone, const EnterHost& enter, Milliseconds beat) {
  signal(SIGPIPE, SIG_IGN);
  return Agent(std::move(port), when_gone, enter, beat).serve();
}

}  // namespace tessera::lab
