// SPDX-License-Identifier: Apache-2.0
#include "lab/supervisor.h"

#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test_directory.h"
#include "lab/tool.h"

namespace tessera::lab {
namespace {

using namespace std::chrono_literals;

class Supervise : public testing::Test {
 protected:
  /// `script` stands for QEMU; the test keeps one end of what stands for the agent's socket.
  Watch watch(const std::string& script) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    agent_ = Fd(ends[0]);
    Watch watch;
    watch.qemu = {"sh", "-c", script};
    watch.agent_socket = Fd(ends[1]);
    watch.qmp_socket = Fd(fcntl(ends[1], F_DUPFD_CLOEXEC, 0));
    watch.lock = Fd(open(folder_.real("/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    watch.deadline = 60s;
    watch.log = folder_.real("/log");
    watch.end_note = folder_.real("/ended");
    return watch;
  }

  std::string ended(pid_t supervisor) {
    int status = 0;
    EXPECT_EQ(waitpid(supervisor, &status, 0), supervisor);
    std::ifstream file(folder_.real("/ended"));
    std::string line;
    std::getline(file, line);
    return line;
  }

  /// The line that QEMU's stand-in writes to its agent socket when it is there.
  std::string hear() {
    char bytes[64];
    ssize_t got = read(agent_.get(), bytes, sizeof bytes);
    return {bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

  TestDirectory folder_;
  Fd agent_;
};

TEST_F(Supervise, hands_the_sockets_over_as_3_and_4_and_notes_the_end) {
  auto pid = supervise(watch("printf hello >&3; printf ' you' >&4; echo word"));
  ASSERT_TRUE(pid);
  EXPECT_EQ(ended(*pid), "the host powered off or panicked");
  EXPECT_EQ(hear(), "hello you");
  std::ifstream log(folder_.real("/log"));
  std::string line;
  std::getline(log, line);
  EXPECT_EQ(line, "word");
}

TEST_F(Supervise, notes_a_failure_with_its_exit_code) {
  auto pid = supervise(watch("exit 3"));
  ASSERT_TRUE(pid);
  EXPECT_EQ(ended(*pid), "QEMU failed with exit code 3");
}

TEST_F(Supervise, ends_the_host_at_its_deadline) {
  Watch late = watch("exec sleep 1000");
  late.deadline = 1s;
  auto pid = supervise(std::move(late));
  ASSERT_TRUE(pid);
  EXPECT_EQ(ended(*pid), "its deadline of 1 s came");
}

TEST_F(Supervise, ends_the_host_when_asked) {
  auto pid = supervise(watch("printf up >&3; exec sleep 1000"));
  ASSERT_TRUE(pid);
  EXPECT_EQ(hear(), "up");
  kill(*pid, SIGTERM);
  EXPECT_EQ(ended(*pid), "it was asked to end");
}

TEST_F(Supervise, ends_the_host_when_its_lifeline_is_cut) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Watch tied = watch("printf up >&3; exec sleep 1000");
  tied.lifeline = Fd(ends[0]);
  Fd ours(ends[1]);
  auto pid = supervise(std::move(tied));
  ASSERT_TRUE(pid);
  EXPECT_EQ(hear(), "up");
  ours.reset();
  EXPECT_EQ(ended(*pid), "its user went away");
}

TEST_F(Supervise, a_killed_supervisor_takes_the_host_with_it) {
  auto pid = supervise(watch("printf up >&3; exec sleep 1000"));
  ASSERT_TRUE(pid);
  EXPECT_EQ(hear(), "up");
  kill(*pid, SIGKILL);
  EXPECT_EQ(ended(*pid), "");
  pollfd gone{agent_.get(), POLLIN, 0};  // its copy of the socket is closed when it has died
  ASSERT_EQ(poll(&gone, 1, 10000), 1);
  EXPECT_EQ(hear(), "");
}

TEST_F(Supervise, waits_for_its_helpers_and_gives_up_without_them) {
  Watch good = watch("cat " + folder_.real("/helped") + " >&3");
  good.helpers = {
      {"sh", "-c", "printf yes > " + folder_.real("/helped") + "; echo ready; exec sleep 1000"}};
  auto pid = supervise(std::move(good));
  ASSERT_TRUE(pid);
  EXPECT_EQ(ended(*pid), "the host powered off or panicked");
  EXPECT_EQ(hear(), "yes");
  Watch bad = watch("printf up >&3");
  bad.helpers = {{"false"}};
  pid = supervise(std::move(bad));
  ASSERT_TRUE(pid);
  EXPECT_EQ(ended(*pid), "an identity card's server did not start");
}

TEST(RunTool, keeps_what_it_said_and_kills_it_at_the_deadline) {
  std::string heard;
  auto said = run_tool({{"sh", "-c", "echo out; echo 1 >&2; echo 2 >&2; exit 5"}, {}, {}, {}, {}},
                       Deadline::in(10s), [&](std::string_view line) { heard += line; });
  ASSERT_TRUE(said);
  EXPECT_EQ(said->exit_code, 5);
  EXPECT_EQ(said->out, "out\n");
  EXPECT_EQ(said->err, "1\n2\n");
  EXPECT_EQ(heard, "12");
  auto late = run_tool({{"sleep", "1000"}, {}, {}, {}, {}}, Deadline::in(50ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::timeout);
  EXPECT_TRUE(tool_prints({{"sh", "-c", "echo SeaBIOS; exec sleep 1000"}, {}, {}, {}, {}},
                          "SeaBIOS", Deadline::in(10s)));
  EXPECT_FALSE(tool_prints({{"false"}, {}, {}, {}, {}}, "SeaBIOS", Deadline::in(10s)));
}

}  // namespace
}  // namespace tessera::lab
