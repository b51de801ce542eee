// SPDX-License-Identifier: Apache-2.0
#include "kernel/processes.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/test_root.h"

namespace tessera::kernel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

TEST(OpenDeviceScan, names_process_unit_and_device_files) {
  TestDirectory host;
  host.file("/proc/812/comm", "Xorg\n");
  host.file("/proc/812/cgroup", "0::/system.slice/display-manager.service/worker\n");
  host.link("/proc/812/fd/0", "/dev/null");
  host.link("/proc/812/fd/3", "/dev/dri/card0");
  host.link("/proc/812/fd/4", "/dev/dri/card0");
  host.link("/proc/812/fd/5", "/dev/nvidia0");
  host.link("/proc/812/fd/6", "socket:[123]");
  host.file("/proc/99/comm", "qemu-system-x86\n");
  host.link("/proc/99/fd/7", "anon_inode:[vfio-device]");
  host.link("/proc/99/fd/8", "anon_inode:[eventpoll]");
  auto scan = scan_open_devices(open_or_die(host.real()));
  ASSERT_EQ(scan.processes.size(), 2U);
  EXPECT_EQ(scan.unreadable, 0);
  EXPECT_EQ(scan.processes[0].pid, 99);
  EXPECT_EQ(scan.processes[0].unit, "");
  EXPECT_EQ(scan.processes[0].paths, Names{"anon_inode:[vfio-device]"});
  EXPECT_EQ(scan.processes[1].pid, 812);
  EXPECT_EQ(scan.processes[1].name, "Xorg");
  EXPECT_EQ(scan.processes[1].unit, "display-manager.service");
  EXPECT_EQ(scan.processes[1].paths, (Names{"/dev/dri/card0", "/dev/nvidia0"}));
}

TEST(OpenDeviceScan, leaves_out_what_everybody_has_open) {
  TestDirectory host;
  int fd = 0;
  for (auto target : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
                      "/dev/tty", "/dev/tty1", "/dev/ttyS0", "/dev/ptmx", "/dev/pts/0",
                      "/dev/shm/x (deleted)", "/devices/x", "/home/dev/card0"}) {
    host.link("/proc/5/fd/" + std::to_string(fd++), target);
  }
  EXPECT_TRUE(scan_open_devices(open_or_die(host.real())).processes.empty());
}

TEST(OpenDeviceScan, reads_recordings_and_hosts_without_proc) {
  TestDirectory host;
  host.file("/tree.tsv",
            "/proc/7/fd/3\t-> /dev/snd/controlC1\n/proc/7/comm\tpipewire\\n\n"
            "/proc/7/cgroup\t0::/user.slice/app.slice/app-x.scope\\n\n"
            "/proc/cmdline\tquiet\n");
  auto scan = scan_open_devices(open_or_die(host.real("/tree.tsv")));
  ASSERT_EQ(scan.processes.size(), 1U);
  EXPECT_EQ(scan.processes[0].unit, "app-x.scope");
  EXPECT_TRUE(scan_open_devices(open_or_die(host.real())).processes.empty());
}

TEST(OpenDeviceScan, of_the_live_system_sees_only_processes_that_hold_something) {
  for (const auto& process : scan_open_devices(open_or_die("/")).processes) {
    EXPECT_GT(process.pid, 0);
    EXPECT_FALSE(process.paths.empty());
  }
}

/// A process of ours that waits for signals; `on_sigterm` says what it does with that one.
class Sleeper {
 public:
  explicit Sleeper(void (*on_sigterm)(int)) {
    std::array<int, 2> pair = {-1, -1};
    if (::pipe2(pair.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    pid = ::fork();
    if (pid == 0) {
      ::signal(SIGTERM, on_sigterm);
      (void)!::write(pair[1], "!", 1);
      for (;;) ::pause();
    }
    char ready = 0;
    (void)!::read(pair[0], &ready, 1);
    ::close(pair[0]);
    ::close(pair[1]);
  }
  ~Sleeper() { end(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  void end() const {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  pid_t pid = -1;
};

TEST(StopProcess, ends_it_and_waits_for_that) {
  Sleeper sleeper(SIG_DFL);
  auto status = stop_process(open_or_die("/"), sleeper.pid, Deadline::in(seconds(20)));
  EXPECT_TRUE(status) << one_line(status.error());
  int how = 0;
  ASSERT_EQ(::waitpid(sleeper.pid, &how, WNOHANG), sleeper.pid);
  EXPECT_TRUE(WIFSIGNALED(how) && WTERMSIG(how) == SIGTERM);
}

TEST(StopProcess, that_does_not_end_is_a_timeout_with_the_next_command) {
  Sleeper sleeper(SIG_IGN);
  auto status = stop_process(open_or_die("/"), sleeper.pid, Deadline::in(milliseconds(50)));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::timeout);
  EXPECT_NE(status.error().hint.find("kill -KILL"), std::string::npos);
}

TEST(StopProcess, that_is_gone_already_is_success) {
  pid_t gone = -1;
  {
    Sleeper sleeper(SIG_DFL);
    gone = sleeper.pid;
  }
  EXPECT_TRUE(stop_process(open_or_die("/"), gone, Deadline::in(seconds(20))));
}

TEST(StopProcess, never_takes_init_or_a_process_group) {
  for (int pid : {1, 0, -1}) {
    auto status = stop_process(open_or_die("/"), pid, Deadline::in(seconds(20)));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::invalid);
  }
}

TEST(RehearsalProcesses, are_asked_through_the_control_file) {
  TestDirectory host;
  host.file("/.rehearsal/signal", "");
  auto root = open_or_die(host.real());
  EXPECT_TRUE(stop_process(root, 812, Deadline::in(seconds(20))));
  EXPECT_EQ(host.content("/.rehearsal/signal"), "TERM 812\n");
  host.file("/.rehearsal/signal", "");
  EXPECT_TRUE(stop_unit(root, "gdm.service", Deadline::in(seconds(20))));
  EXPECT_EQ(host.content("/.rehearsal/signal"), "STOP gdm.service\n");
  host.file("/.rehearsal/signal", "");
  EXPECT_TRUE(start_unit(root, "gdm.service", Deadline::in(seconds(20))));
  EXPECT_EQ(host.content("/.rehearsal/signal"), "START gdm.service\n");
}

TEST(RehearsalProcesses, that_stay_are_a_timeout) {
  TestDirectory host;
  host.file("/.rehearsal/signal", "");
  host.directory("/proc/812/fd");
  auto status = stop_process(open_or_die(host.real()), 812, Deadline::in(milliseconds(50)));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::timeout);
}

TEST(RehearsalProcesses, are_unsupported_without_the_control_file) {
  TestDirectory host;
  auto root = open_or_die(host.real());
  auto process = stop_process(root, 812, Deadline::in(seconds(20)));
  auto unit = stop_unit(root, "gdm.service", Deadline::in(seconds(20)));
  ASSERT_FALSE(process);
  ASSERT_FALSE(unit);
  EXPECT_EQ(process.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(unit.error().kind, ErrorKind::unsupported);
}

/// A systemctl of our own is first in PATH.
class Systemctl : public testing::Test {
 protected:
  Systemctl() : path_(::getenv("PATH") != nullptr ? ::getenv("PATH") : "") {
    ::setenv("PATH", (host_.real() + ":" + path_).c_str(), 1);
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }
  void does(const std::string& script) const {
    host_.file("/systemctl", "#!/bin/sh\n" + script + "\n");
    ::chmod(host_.real("/systemctl").c_str(), 0700);
  }
  TestDirectory host_;
  std::string path_;
};

TEST_F(Systemctl, gets_the_verb_and_the_unit) {
  does("echo \"$@\" > '" + host_.real("/called") + "'");
  ASSERT_TRUE(stop_unit(open_or_die("/"), "gdm.service", Deadline::in(seconds(20))));
  EXPECT_EQ(host_.content("/called"), "--no-ask-password stop -- gdm.service\n");
  ASSERT_TRUE(start_unit(open_or_die("/"), "gdm.service", Deadline::in(seconds(20))));
  EXPECT_EQ(host_.content("/called"), "--no-ask-password start -- gdm.service\n");
}

TEST_F(Systemctl, is_quoted_when_it_fails) {
  does("echo 'Unit gdm.service not loaded.' >&2; exit 5");
  auto status = stop_unit(open_or_die("/"), "gdm.service", Deadline::in(seconds(20)));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::io);
  EXPECT_EQ(status.error().sentence, "systemctl stop failed: Unit gdm.service not loaded.");
}

TEST_F(Systemctl, that_hangs_is_ended_at_the_deadline) {
  does("exec sleep 600");
  auto status = stop_unit(open_or_die("/"), "gdm.service", Deadline::in(milliseconds(50)));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::timeout);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(Systemctl, never_gets_an_option_for_a_unit) {
  does("exit 0");
  for (auto unit : {"", "--force", "a\nb"}) {
    auto status = stop_unit(open_or_die("/"), unit, Deadline::in(seconds(20)));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace tessera::kernel
