// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "app/change.h"
#include "app/qemu_process.h"
#include "app/verb.h"
#include "base/wait.h"
#include "build/qemu.h"
#include "hypervisor/qmp.h"
#include "kernel/processes.h"
#include "kernel/root.h"
#include "model/host.h"
#include "model/machine.h"
#include "plan/slices/owners.h"
#include "probe/probe.h"
#include "probe/slices/users.h"

namespace tessera::app {

namespace {

using Clock = std::chrono::steady_clock;

struct RunOptions {
  model::MachineSpec spec;
  std::vector<std::string> cards;
  std::vector<std::string> slices;
  std::string accelerator = "auto";
  std::string until;
  std::string stop;
  std::string screen;
  double deadline_seconds = 60;
  double for_seconds = -1;
  bool detach = false;
  bool print_argv = false;
};

constexpr Milliseconds stop_patience{10'000};
constexpr Milliseconds rest_of_line{100};
constexpr Milliseconds screen_patience{30'000};

Milliseconds milliseconds(double seconds) {
  return Milliseconds(static_cast<Milliseconds::rep>(seconds * 1000));
}

/// Where a machine's pid file, serial log and QEMU's own words are kept.
std::filesystem::path machine_folder(const Session& session, const std::string& name) {
  std::filesystem::path base = "/run/tessera";
  const char* user_folder = std::getenv("XDG_RUNTIME_DIR");
  if (!session.state_dir.empty())
    base = session.state_dir;
  else if (::geteuid() != 0 && user_folder != nullptr)
    base = std::filesystem::path(user_folder) / "tessera";
  else if (::geteuid() != 0)
    base = std::filesystem::temp_directory_path() / fmt::format("tessera-{}", ::geteuid());
  return base / "machines" / name;
}

/// Empty where its name would be longer than a socket's may be (unix(7)).
std::string screen_socket(const std::filesystem::path& folder) {
  const auto path = (folder / "qmp.sock").string();
  return path.size() < sizeof(sockaddr_un::sun_path) ? path : std::string{};
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// SIGINT and SIGTERM as a file descriptor, for as long as this lives.
class Interrupts {
 public:
  Interrupts() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~Interrupts() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  sigset_t before_{};
  Fd fd_;
};

/// What the serial port said so far: printed line by line with the time, searched for a text.
class SerialReader {
 public:
  SerialReader(FileFollower follower, bool quiet, Clock::time_point start)
      : follower_(std::move(follower)), quiet_(quiet), start_(start) {}

  [[nodiscard]] int event_fd() const { return follower_.event_fd(); }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }
  [[nodiscard]] const std::string& last_line() const { return last_line_; }

  /// Takes what is new. True once `wanted` has appeared in what was said since the start.
  bool take(const std::string& wanted) {
    rest_ += follower_.take();
    bool found = false;
    for (std::size_t end = 0; (end = rest_.find('\n')) != std::string::npos;) {
      found |= say(rest_.substr(0, end), wanted);
      rest_.erase(0, end + 1);
    }
    return found || (!wanted.empty() && rest_.find(wanted) != std::string::npos);
  }
  /// Waits a moment for the rest of a line whose beginning is here; a prompt has no rest.
  void finish(Deadline deadline) {
    while (!rest_.empty() && wait_until_ready(event_fd(), POLLIN, deadline)) {
      take({});
    }
    if (!rest_.empty()) say(rest_, {});
    rest_.clear();
  }

 private:
  bool say(std::string line, const std::string& wanted) {
    while (line.ends_with('\r')) line.pop_back();
    if (!quiet_) {
      fmt::print("{:7.2f} s  {}\n", seconds(), line);
      std::fflush(stdout);
    }
    if (!line.empty()) last_line_ = line;
    return !wanted.empty() && line.find(wanted) != std::string::npos;
  }

  FileFollower follower_;
  bool quiet_;
  Clock::time_point start_;
  std::string rest_;
  std::string last_line_;
};

enum class Outcome { said, ended, interrupted, too_late };

/// Waits for the text, the end of QEMU, a signal, or the deadline, whichever comes first.
/// Without a text or a deadline it does not wait for one.
Outcome watch(const kernel::ChildProcess& process, SerialReader& serial,
              const Interrupts& interrupts, const std::string& wanted,
              std::optional<Deadline> deadline) {
  while (true) {
    if (serial.take(wanted)) return Outcome::said;
    if (deadline && deadline->passed()) return Outcome::too_late;
    pollfd fds[3] = {{process.pidfd.get(), POLLIN, 0},
                     {serial.event_fd(), POLLIN, 0},
                     {interrupts.fd(), POLLIN, 0}};
    (void)::poll(fds, 3, deadline ? static_cast<int>(deadline->left().count()) : -1);
    if (fds[2].revents != 0) return Outcome::interrupted;
    if (fds[0].revents != 0) return serial.take(wanted) ? Outcome::said : Outcome::ended;
  }
}

/// One machine from its start to its end, or to its being left alone.
class Run {
 public:
  Run(const Session& session, const RunOptions& options, std::filesystem::path folder)
      : session_(session), options_(options), folder_(std::move(folder)) {}

  Result<int> start(const build::MachineBuild& build) {
    TRY_LET(FileFollower follower, FileFollower::open(options_.spec.serial_log));
    Interrupts interrupts;
    SerialReader serial(std::move(follower), session_.json, Clock::now());
    TRY_LET(const kernel::ChildProcess process, start_qemu(build.argv, log().string()));
    say("{}: QEMU runs as process {}, {}", options_.spec.name, process.pid,
        to_string(options_.spec.accelerator) == "kvm" ? "accelerated by KVM" : "emulated (tcg)");
    auto code = attend(process, serial, interrupts);
    serial.finish(Deadline::in(Milliseconds(0)));
    return code;
  }

 private:
  template <typename... T>
  void say(fmt::format_string<T...> format, T&&... values) const {
    if (session_.json) return;
    fmt::print("{}\n", fmt::format(format, std::forward<T>(values)...));
    std::fflush(stdout);
  }
  [[nodiscard]] std::filesystem::path log() const { return folder_ / "qemu.log"; }

  Result<int> attend(const kernel::ChildProcess& process, SerialReader& serial,
                     const Interrupts& interrupts) {
    const std::string& name = options_.spec.name;
    if (!options_.until.empty()) {
      auto outcome = watch(process, serial, interrupts, options_.until,
                           Deadline::in(milliseconds(options_.deadline_seconds)));
      if (outcome != Outcome::said) return without_the_text(outcome, process, serial);
      ready_seconds_ = serial.seconds();
      serial.finish(Deadline::in(rest_of_line));
      say("{}: guest ready after {:.1f} s", name, *ready_seconds_);
    }
    if (options_.detach) {
      say("{}: left running; serial port in {}; end it with: tessera run --stop {}", name,
          options_.spec.serial_log, name);
      return done(process, "running");
    }
    if (!options_.until.empty() && options_.for_seconds < 0) {
      stop_qemu(process, Deadline::in(stop_patience));
      return done(process, "stopped");
    }
    std::optional<Deadline> end;
    if (options_.for_seconds >= 0) end = Deadline::in(milliseconds(options_.for_seconds));
    auto outcome = watch(process, serial, interrupts, {}, end);
    if (outcome == Outcome::ended) return ended(process);
    stop_qemu(process, Deadline::in(stop_patience));
    say("{}: stopped after {:.1f} s", name, serial.seconds());
    return done(process, "stopped");
  }

  Result<int> without_the_text(Outcome outcome, const kernel::ChildProcess& process,
                               SerialReader& serial) {
    const std::string& name = options_.spec.name;
    if (outcome == Outcome::ended) {
      TRY(ended(process));
      return fail(ErrorKind::io, name,
                  fmt::format("the machine ended after {:.1f} s before it said '{}'",
                              serial.seconds(), options_.until),
                  "read " + options_.spec.serial_log);
    }
    stop_qemu(process, Deadline::in(stop_patience));
    if (outcome == Outcome::interrupted) {
      return fail(ErrorKind::timeout, name, "interrupted, and stopped");
    }
    auto last = serial.last_line().empty() ? std::string("it said nothing")
                                           : "its last line was '" + serial.last_line() + "'";
    return fail(ErrorKind::timeout, name,
                fmt::format("did not say '{}' within {:.0f} s; {}", options_.until,
                            options_.deadline_seconds, last),
                "read " + options_.spec.serial_log + " or give it longer with --deadline");
  }

  /// QEMU ended by itself: fine when it says so by its status, else its own words explained.
  Result<int> ended(const kernel::ChildProcess& process) const {
    if (kernel::reap(process.pidfd).as_shell_code() != 0) {
      return std::unexpected(build::explain_qemu_failure(options_.spec, file_text(log())));
    }
    return done(process, "ended");
  }

  int done(const kernel::ChildProcess& process, std::string_view state) const {
    if (!session_.json) return exit_ok;
    nlohmann::ordered_json json;
    json["schema"] = "tessera/run/1";
    json["name"] = options_.spec.name;
    json["state"] = state;
    if (state == "running") json["pid"] = process.pid;
    json["accelerator"] = to_string(options_.spec.accelerator);
    if (ready_seconds_) json["ready_ms"] = static_cast<int>(*ready_seconds_ * 1000);
    json["serial"] = options_.spec.serial_log;
    fmt::print("{}\n", json.dump(2));
    return exit_ok;
  }

  const Session& session_;
  const RunOptions& options_;
  std::filesystem::path folder_;
  std::optional<double> ready_seconds_;
};

/// KVM where it works, else emulation, and why.
Status choose_accelerator(const Session& session, RunOptions& options) {
  TRY_LET(options.spec.accelerator, model::parse_accelerator(options.accelerator));
  if (options.spec.accelerator == model::Accelerator::tcg) return {};
  auto kvm = check_kvm();
  if (options.spec.accelerator == model::Accelerator::kvm) {
    if (kvm) return {};
    Error error = kvm.error();
    error.hint = "use --accel tcg, which works everywhere but is many times slower";
    return std::unexpected(error);
  }
  options.spec.accelerator = kvm ? model::Accelerator::kvm : model::Accelerator::tcg;
  if (!kvm && !session.json) {
    fmt::print(stderr, "note: emulating the processor, because KVM does not work here: {}\n",
               one_line(kvm.error()));
  }
  return {};
}

Status make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  if (error) return std::unexpected(error_from_errno(error.value(), folder.string(), "make"));
  return {};
}

Result<model::HostSnapshot> host_for(const Session& session, const kernel::Root& root,
                                     const RunOptions& options) {
  if (options.slices.empty()) return probe::take_snapshot(root);
  TRY_LET(auto host, probe::take_snapshot(root, model::Detail::slices));
  probe::slices::find_slice_users(root, host);
  TRY(add_owners(session, host));
  return host;
}

Result<build::MachineBuild> build_for(const Session& session, const kernel::Root& root,
                                      RunOptions& options) {
  TRY_LET(const auto host, host_for(session, root, options));
  options.spec.cards.clear();
  for (const auto& selector : options.cards) {
    TRY_LET(const model::Card* const card, model::select_card(host, selector));
    options.spec.cards.push_back(card->address);
  }
  options.spec.slices.clear();
  for (const auto& selector : options.slices) {
    TRY_LET(const auto found, plan::slices::find_slice(host, selector));
    options.spec.slices.push_back(found.slice->identity);
  }
  return build::build_machine(host, options.spec);
}

Result<int> run_machine(const Session& session, RunOptions& options) {
  TRY_LET(const auto root, kernel::Root::open(session.root));
  auto& spec = options.spec;
  TRY(model::check(spec));
  TRY(choose_accelerator(session, options));
  const auto folder = machine_folder(session, spec.name);
  spec.pid_file = (folder / "pid").string();
  spec.qmp_socket = screen_socket(folder);
  if (spec.serial_log.empty()) spec.serial_log = (folder / "serial.log").string();
  TRY_LET(const auto build, build_for(session, root, options));
  if (options.print_argv) {
    fmt::print("{}", build::as_shell_text(build.argv));
    return exit_ok;
  }
  if (root.kind() != kernel::Root::Kind::live) {
    return fail(ErrorKind::unsupported, session.root,
                "is not the running system: a machine can only be started here",
                "add --print-argv to see how it would be started");
  }
  if (pid_t pid = locked_by(spec.pid_file); pid != 0) {
    return fail(ErrorKind::busy, spec.name, fmt::format("runs already, as process {}", pid),
                "tessera run --stop " + spec.name);
  }
  TRY(make_folder(folder));
  if (!session.json) {
    for (const auto& note : build.notes) fmt::print("{}: {}\n", spec.name, note);
  }
  auto code = Run(session, options, folder).start(build);
  bool kvm_to_blame = !code && code.error().kind == ErrorKind::unsupported &&
                      spec.accelerator == model::Accelerator::kvm;
  if (!kvm_to_blame || options.accelerator != "auto") return code;
  if (!session.json) fmt::print(stderr, "note: emulating instead: {}\n", one_line(code.error()));
  spec.accelerator = model::Accelerator::tcg;
  TRY_LET(const auto emulated, build_for(session, root, options));
  return Run(session, options, folder).start(emulated);
}

Result<int> stop_machine(const Session& session, const std::string& name) {
  model::MachineSpec named;
  named.name = name;
  named.kernel = "-";
  TRY(model::check(named));
  auto pid_file = (machine_folder(session, name) / "pid").string();
  pid_t pid = locked_by(pid_file);
  if (pid == 0) return fail(ErrorKind::not_found, name, "no machine of this name runs");
  TRY_LET(const auto root, kernel::Root::open("/"));
  TRY(kernel::stop_process(root, pid, Deadline::in(stop_patience)));
  if (!session.json) fmt::print("{}: stopped (it was process {})\n", name, pid);
  return exit_ok;
}

/// Has QEMU draw the machine's first screen into a file.
Result<int> take_screen(const Session& session, const RunOptions& options) {
  const auto& name = options.spec.name;
  const auto folder = machine_folder(session, name);
  if (locked_by((folder / "pid").string()) == 0) {
    return fail(ErrorKind::not_found, name, "no machine of this name runs");
  }
  const auto socket = screen_socket(folder);
  if (socket.empty()) {
    return fail(ErrorKind::unsupported, folder.string(),
                "the machine has no socket to ask for its screen: the folder's name is too long",
                "start it with a shorter --state");
  }
  const auto deadline = Deadline::in(screen_patience);
  TRY_LET(auto qmp, hypervisor::Qmp::connect(socket, deadline));
  const auto file = std::filesystem::absolute(options.screen).string();
  TRY(qmp.execute("screendump", {{"filename", file}, {"format", "png"}}, deadline));
  if (!session.json) fmt::print("{}: its screen is in {}\n", name, file);
  return exit_ok;
}

Result<int> run_or_stop(const Session& session, RunOptions& options) {
  if (!options.screen.empty()) return take_screen(session, options);
  if (!options.stop.empty()) return stop_machine(session, options.stop);
  return run_machine(session, options);
}

void add_machine_options(cli::Verb verb, RunOptions& options) {
  verb.option("--card", options.cards, "card to give to the machine; may be repeated");
  verb.option("--slice", options.slices, "slice to give to the machine; may be repeated");
  verb.option("--kernel", options.spec.kernel, "file to start: Linux or a multiboot file");
  verb.option("--initrd", options.spec.initrd, "initial RAM disk");
  verb.option("--append", options.spec.append, "the kernel's command line");
  verb.option("--name", options.spec.name, "the machine's name").show_default();
  verb.option("--memory", options.spec.memory_mib, "memory in MiB").show_default();
  verb.option("--cpus", options.spec.vcpus, "number of processors").show_default();
  verb.option("--serial", options.spec.serial_log, "file for the serial port's output");
  verb.option("--accel", options.accelerator, "auto, kvm or tcg").show_default();
}

void add_watch_options(cli::Verb verb, RunOptions& options) {
  verb.option("--until", options.until,
              "wait until the serial port says this; then stop the machine, if neither --for "
              "nor --detach says otherwise");
  verb.option("--deadline", options.deadline_seconds, "how long --until may take, in seconds")
      .show_default()
      .positive();
  auto keep = verb.option("--for", options.for_seconds,
                          "keep it running this many seconds (after --until), then stop it");
  verb.flag("--detach", options.detach, "leave it running and return").excludes(keep);
  verb.flag("--print-argv", options.print_argv, "print QEMU's command line, start nothing");
  verb.option("--stop", options.stop, "stop the running machine of this name");
  verb.option("--screen", options.screen,
              "write what the running machine --name shows to this PNG file");
}

}  // namespace

void add_run(cli::Verb parser, Session& session) {
  auto verb = parser.add_verb("run", "start a virtual machine that owns cards and slices");
  auto options = std::make_shared<RunOptions>();
  options->spec.name = "guest";
  add_machine_options(verb, *options);
  add_watch_options(verb, *options);
  verb.on_call([options, &session] {
    auto code = run_or_stop(session, *options);
    session.exit_code = code ? *code : report(session, code.error());
  });
}

}  // namespace tessera::app
