// SPDX-License-Identifier: Apache-2.0
#include "kernel/child_process.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test_directory.h"

namespace tessera::kernel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Fd make_file(const std::string& path) {
  return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

ProcessEnd run(const SpawnRequest& request) {
  auto child = spawn(request);
  if (!child) throw std::runtime_error(one_line(child.error()));
  EXPECT_TRUE(wait_for_end(child->pidfd, Deadline::in(seconds(20))));
  return reap(child->pidfd);
}

SpawnRequest shell(const std::string& script, int output_fd = -1) {
  return {.argv = {"sh", "-c", script},
          .output_fd = output_fd,
          .error_fd = -1,
          .session = SpawnRequest::Session::ours};
}

TEST(Spawn, takes_the_exit_code) {
  auto end = run(shell("exit 5"));
  EXPECT_EQ(end.exit_code, 5);
  EXPECT_EQ(end.signal, 0);
  EXPECT_EQ(end.as_shell_code(), 5);
}

TEST(Spawn, gives_the_program_its_streams_and_no_other_descriptor_of_ours) {
  TestDirectory directory;
  Fd output = make_file(directory.real("/out"));
  Fd stray(::dup(0));  // not close-on-exec
  run(
      shell("read word; echo \"in '$word'\"; for fd in 3 4 5 6 7 8 9; do "
            "[ -e /proc/$$/fd/$fd ] && echo \"open $fd\"; done",
            output.get()));
  EXPECT_EQ(directory.content("/out"), "in ''\n");
}

TEST(Spawn, says_that_a_program_is_not_installed) {
  auto child = spawn({.argv = {"no-such-program-here"},
                      .output_fd = -1,
                      .error_fd = -1,
                      .session = SpawnRequest::Session::ours});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().kind, ErrorKind::not_found);
  EXPECT_EQ(child.error().subject, "no-such-program-here");
}

TEST(Spawn, starts_a_session_of_its_own_only_when_asked) {
  auto request = shell("kill -STOP $$");
  for (auto session : {SpawnRequest::Session::ours, SpawnRequest::Session::own}) {
    request.session = session;
    auto child = spawn(request);
    ASSERT_TRUE(child);
    bool own = ::getsid(child->pid) == child->pid;
    EXPECT_EQ(own, session == SpawnRequest::Session::own);
    EXPECT_EQ(send_signal(child->pidfd, SIGKILL), 0);
    reap(child->pidfd);
  }
}

TEST(Pidfd, tells_which_signal_ended_a_process_and_that_it_is_gone) {
  auto child = spawn(shell("exec sleep 600"));
  ASSERT_TRUE(child);
  EXPECT_FALSE(wait_for_end(child->pidfd, Deadline::in(milliseconds(20))));
  EXPECT_EQ(send_signal(child->pidfd, SIGTERM), 0);
  EXPECT_TRUE(wait_for_end(child->pidfd, Deadline::in(seconds(20))));
  auto end = reap(child->pidfd);
  EXPECT_EQ(end.signal, SIGTERM);
  EXPECT_EQ(end.as_shell_code(), 128 + SIGTERM);
  EXPECT_EQ(send_signal(child->pidfd, SIGTERM), ESRCH);
  EXPECT_FALSE(open_pidfd(child->pid).valid());
  EXPECT_EQ(errno, ESRCH);
}

TEST(CloseAllBut, keeps_what_it_is_told_to_in_any_order) {
  pid_t child = ::fork();
  if (child == 0) {
    int high = ::dup(0);
    int low = ::dup(0);
    int stray = ::dup(0);
    std::array<int, 4> kept = {low, -1, high, 2};
    close_all_but(kept);
    bool good = ::fcntl(high, F_GETFD) >= 0 && ::fcntl(low, F_GETFD) >= 0 &&
                ::fcntl(stray, F_GETFD) < 0 && ::fcntl(0, F_GETFD) < 0;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace tessera::kernel
