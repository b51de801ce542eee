// SPDX-License-Identifier: Apache-2.0
#include "lab/supervisor.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/wait.h"
#include "kernel/child_process.h"
#include "kernel/files.h"
#include "lab/qemu_args.h"

namespace tessera::lab {
namespace {

constexpr Milliseconds time_to_quit{3000};
constexpr Milliseconds time_to_be_ready{10000};

void redirect_standard_streams(const std::string& log) {
  int nothing = open(std::string(kernel::files::dev_null).c_str(), O_RDONLY | O_CLOEXEC);
  int words = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(nothing, 0);
  dup2(words, 1);
  dup2(words, 2);
}

[[noreturn]] void become(const std::vector<std::string>& words, pid_t supervisor) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  auto argv = kernel::exec_words(words);
  execvp(argv[0], argv.data());
  dprintf(2, "cannot run %s: %s\n", argv[0], strerrorname_np(errno));
  _exit(127);
}

/// A helper process and the read end of its standard output.
struct Helper {
  pid_t pid = -1;
  Fd out;
};

Helper start_helper(const std::vector<std::string>& words) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  Helper helper;
  helper.out = Fd(ends[0]);
  Fd theirs(ends[1]);
  pid_t supervisor = getpid();
  helper.pid = fork();
  if (helper.pid != 0) return helper;
  dup2(theirs.get(), 1);
  close_range(3, ~0U, 0);
  become(words, supervisor);
}

/// Waits for the first line of each helper; false when one ended or stays silent.
bool all_ready(const std::vector<Helper>& helpers) {
  Deadline deadline = Deadline::in(time_to_be_ready);
  for (const Helper& helper : helpers) {
    char word[512];
    if (!wait_until_ready(helper.out.get(), POLLIN, deadline)) return false;
    if (read(helper.out.get(), word, sizeof word) <= 0) return false;
  }
  return true;
}

pid_t start_qemu(const Watch& watch) {
  pid_t supervisor = getpid();
  pid_t pid = fork();
  if (pid != 0) return pid;
  // First out of the way, then to their places: a socket may sit on 3 or 4 already.
  int agent = fcntl(watch.agent_socket.get(), F_DUPFD_CLOEXEC, 10);
  int qmp = fcntl(watch.qmp_socket.get(), F_DUPFD_CLOEXEC, 10);
  dup2(agent, agent_socket_fd);
  dup2(qmp, qmp_socket_fd);
  close_range(5, ~0U, 0);
  become(watch.qemu, supervisor);
}

class Supervisor {
 public:
  explicit Supervisor(Watch& watch) : watch_(watch), deadline_(Deadline::in(watch.deadline)) {}

  void run() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
    sigprocmask(SIG_SETMASK, &signals, nullptr);
    signals_ = Fd(signalfd(-1, &signals, SFD_CLOEXEC));
    for (const auto& words : watch_.helpers) helpers_.push_back(start_helper(words));
    note_end(all_ready(helpers_) ? watch_qemu() : "an identity card's server did not start");
    for (const Helper& helper : helpers_) kill(helper.pid, SIGKILL);
  }

 private:
  std::string watch_qemu() {
    qemu_ = start_qemu(watch_);
    // Only QEMU's copies stay open, so that clients see a hang-up when it ends.
    watch_.agent_socket.reset();
    watch_.qmp_socket.reset();
    pidfd_ = kernel::open_pidfd(qemu_);
    return wait_for_the_end();
  }

  void note_end(const std::string& why) const {
    Fd note(open(watch_.end_note.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    dprintf(note.get(), "%s\n", why.c_str());
  }

  std::string wait_for_the_end() {
    for (;;) {
      pollfd wanted[3] = {
          {pidfd_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {watch_.lifeline.get(), 0, 0}};
      int ready = poll(wanted, 3, static_cast<int>(deadline_.left().count()));
      if (ready < 0 && errno == EINTR) continue;
      if (wanted[0].revents != 0) return reap();
      if (wanted[1].revents != 0) return end_qemu("it was asked to end");
      if (wanted[2].revents != 0) return end_qemu("its user went away");
      if (deadline_.passed())
        return end_qemu(fmt::format("its deadline of {} s came", watch_.deadline.count() / 1000));
    }
  }

  std::string end_qemu(std::string why) {
    kill(qemu_, SIGTERM);
    if (!kernel::wait_for_end(pidfd_, Deadline::in(time_to_quit))) kill(qemu_, SIGKILL);
    reap();
    return why;
  }

  std::string reap() {
    auto end = kernel::reap(pidfd_);
    if (end.signal != 0) return fmt::format("QEMU was ended by {}", sigabbrev_np(end.signal));
    if (end.exit_code != 0) return fmt::format("QEMU failed with exit code {}", end.exit_code);
    return "the host powered off or panicked";
  }

  Watch& watch_;
  Deadline deadline_;
  Fd signals_;
  Fd pidfd_;
  pid_t qemu_ = -1;
  std::vector<Helper> helpers_;
};

}  // namespace

Result<pid_t> supervise(Watch watch) {
  pid_t pid = fork();
  if (pid < 0) return fail(error_from_errno(errno, "lab", "start a supervisor for"));
  if (pid > 0) return pid;
  setsid();
  redirect_standard_streams(watch.log);
  // What the caller had open is not ours.
  std::array<int, 7> kept = {
      STDIN_FILENO,           STDOUT_FILENO,    STDERR_FILENO,       watch.agent_socket.get(),
      watch.qmp_socket.get(), watch.lock.get(), watch.lifeline.get()};
  kernel::close_all_but(kept);
  Supervisor(watch).run();
  _exit(0);
}

}  // namespace tessera::lab
