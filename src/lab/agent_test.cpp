// SPDX-License-Identifier: Apache-2.0
#include "lab/agent.h"

#include <csignal>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/client.h"
#include "lab/protocol.h"

namespace tessera::lab {
namespace {

using namespace std::chrono_literals;

/// An agent on one end of a socket pair and what a test needs to talk to it.
class RunningAgent {
 public:
  explicit RunningAgent(EnterHost enter = {}, Milliseconds beat = heartbeat)
      : enter_(std::move(enter)) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) abort();
    ours_ = Fd(ends[0]);
    thread_ = std::jthread([theirs = ends[1], beat, this] {
      EXPECT_TRUE(serve_agent(Fd(theirs), WhenGone::leave, enter_, beat));
    });
  }
  Fd socket() { return std::move(ours_); }
  void wait_until_it_left() { thread_.join(); }

 private:
  EnterHost enter_;
  Fd ours_;
  std::jthread thread_;
};

struct Outcome {
  Result<int> code;
  std::string out;
  std::string err;
};

std::string everything(int fd) {
  std::string text;
  char bytes[4096];
  ssize_t got = 0;
  while ((got = read(fd, bytes, sizeof bytes)) > 0) {
    text.append(bytes, static_cast<std::size_t>(got));
  }
  return text;
}

Outcome run(AgentClient& client, const Command& command, const std::string& input = "") {
  int in[2], out[2], err[2];
  EXPECT_EQ(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
  Outcome outcome;
  std::jthread feeder([&] {
    EXPECT_TRUE(write_all(in[1], input, Deadline::in(20s)));
    close(in[1]);
  });
  std::jthread out_reader([&] { outcome.out = everything(out[0]); });
  std::jthread err_reader([&] { outcome.err = everything(err[0]); });
  outcome.code = client.run(command, {in[0], out[1], err[1]});
  close(out[1]);
  close(err[1]);
  out_reader.join();
  err_reader.join();
  feeder.join();
  for (int fd : {in[0], out[0], err[0]}) close(fd);
  return outcome;
}

Command shell(std::string script) {
  Command command;
  command.argv = {"sh", "-c", std::move(script)};
  return command;
}

TEST(Agent, enters_the_host_once_and_is_told_the_time) {
  std::vector<std::chrono::system_clock::time_point> told;
  RunningAgent agent([&](auto now) -> Status {
    told.push_back(now);
    return {};
  });
  const auto before = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  auto client = AgentClient::over(agent.socket(), Deadline::in(20s));
  ASSERT_TRUE(client);
  EXPECT_TRUE(client->enter(Deadline::in(20s)));
  EXPECT_TRUE(client->enter(Deadline::in(20s)));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_GE(told[0], before);
  EXPECT_LE(told[0], std::chrono::system_clock::now());
}

TEST(Agent, says_why_the_host_could_not_be_entered_and_can_be_asked_again) {
  int times = 0;
  RunningAgent agent([&](auto) -> Status {
    if (++times == 2) return {};
    return fail(ErrorKind::io, "/enter", "its script failed");
  });
  auto client = AgentClient::over(agent.socket(), Deadline::in(20s));
  ASSERT_TRUE(client);
  auto entered = client->enter(Deadline::in(20s));
  ASSERT_FALSE(entered);
  EXPECT_NE(entered.error().sentence.find("its script failed"), std::string::npos);
  EXPECT_TRUE(client->enter(Deadline::in(20s)));
}

TEST(Agent, is_heard_all_the_time_that_a_silent_command_runs) {
  RunningAgent agent({}, 20ms);
  auto client = AgentClient::over(agent.socket(), Deadline::in(20s));
  ASSERT_TRUE(client);
  const auto code = client->run(shell("sleep 3"), {}, 1500ms);
  ASSERT_TRUE(code) << one_line(code.error());
  EXPECT_EQ(*code, 0);
}

TEST(Agent, that_is_never_heard_again_is_given_up) {
  RunningAgent agent({}, 1h);
  auto client = AgentClient::over(agent.socket(), Deadline::in(20s));
  ASSERT_TRUE(client);
  const auto code = client->run(shell("sleep 60"), {}, 50ms);
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().kind, ErrorKind::io);
  EXPECT_NE(code.error().sentence.find("does not run any more"), std::string::npos);
}

TEST(Agent, runs_several_commands_one_after_another_and_reports_their_ends) {
  RunningAgent agent;
  auto client = AgentClient::over(agent.socket(), Deadline::in(10s));
  ASSERT_TRUE(client) << one_line(client.error());
  Outcome first = run(*client, shell("echo out; echo err >&2; exit 7"));
  ASSERT_TRUE(first.code) << one_line(first.code.error());
  EXPECT_EQ(*first.code, 7);
  EXPECT_EQ(first.out, "out\n");
  EXPECT_EQ(first.err, "err\n");
  Outcome second = run(*client, shell("kill -TERM $$"));
  ASSERT_TRUE(second.code);
  EXPECT_EQ(*second.code, 128 + SIGTERM);
}

TEST(Agent, passes_environment_and_directory) {
  RunningAgent agent;
  auto client = AgentClient::over(agent.socket(), Deadline::in(10s));
  ASSERT_TRUE(client);
  Command command = shell("pwd; echo $WORD");
  command.cwd = "/usr";
  command.env["WORD"] = "a b";
  EXPECT_EQ(run(*client, command).out, "/usr\na b\n");
}

TEST(Agent, carries_megabytes_of_any_bytes_both_ways) {
  std::string bytes;
  for (unsigned i = 0; i < 3'000'000; ++i) bytes += static_cast<char>(i * 2654435761U >> 13U);
  RunningAgent agent;
  auto client = AgentClient::over(agent.socket(), Deadline::in(10s));
  ASSERT_TRUE(client);
  Outcome outcome = run(*client, shell("cat"), bytes);
  ASSERT_TRUE(outcome.code) << one_line(outcome.code.error());
  EXPECT_EQ(outcome.out.size(), bytes.size());
  EXPECT_TRUE(outcome.out == bytes);
}

TEST(Agent, input_for_a_command_that_does_not_read_it_is_dropped) {
  RunningAgent agent;
  auto client = AgentClient::over(agent.socket(), Deadline::in(10s));
  ASSERT_TRUE(client);
  Outcome outcome = run(*client, shell("exec <&-; echo done"), std::string(50'000, 'x'));
  ASSERT_TRUE(outcome.code);
  EXPECT_EQ(outcome.out, "done\n");
}

TEST(Agent, a_command_that_cannot_start_is_an_error_with_the_reason) {
  RunningAgent agent;
  auto client = AgentClient::over(agent.socket(), Deadline::in(10s));
  ASSERT_TRUE(client);
  Command missing;
  missing.argv = {"no-such-command"};
  Outcome outcome = run(*client, missing);
  ASSERT_FALSE(outcome.code);
  EXPECT_EQ(outcome.code.error().subject, "no-such-command");
  EXPECT_EQ(*run(*client, shell("exit 0")).code, 0);
}

TEST(Agent, the_deadline_of_a_command_kills_all_of_it) {
  RunningAgent agent;
  auto client = AgentClient::over(agent.socket(), Deadline::in(10s));
  ASSERT_TRUE(client);
  Command command = shell("sleep 1000 & sleep 1000");
  command.deadline = 100ms;
  Outcome outcome = run(*client, command);
  ASSERT_FALSE(outcome.code);
  EXPECT_EQ(outcome.code.error().kind, ErrorKind::timeout);
  EXPECT_EQ(*run(*client, shell("exit 3")).code, 3);
}

TEST(Agent, what_a_command_left_running_does_not_keep_it_from_ending) {
  RunningAgent agent;
  auto client = AgentClient::over(agent.socket(), Deadline::in(10s));
  ASSERT_TRUE(client);
  Outcome outcome = run(*client, shell("sleep 1000 & echo $!"));
  ASSERT_TRUE(outcome.code);
  EXPECT_EQ(*outcome.code, 0);
  pid_t left = std::stoi(outcome.out);
  EXPECT_EQ(kill(left, SIGKILL), 0) << "it should still run";
}

TEST(Agent, a_terminal_is_a_terminal_of_the_given_size) {
  RunningAgent agent;
  auto client = AgentClient::over(agent.socket(), Deadline::in(10s));
  ASSERT_TRUE(client);
  Command command = shell("test -t 0 && test -t 1 && stty size");
  command.terminal = WindowSize{33, 101};
  Outcome outcome = run(*client, command);
  ASSERT_TRUE(outcome.code) << one_line(outcome.code.error());
  EXPECT_EQ(*outcome.code, 0);
  EXPECT_EQ(outcome.out, "33 101\r\n");
}

TEST(Agent, a_hang_up_kills_the_command) {
  int life[2];
  ASSERT_EQ(pipe2(life, 0), 0);
  RunningAgent agent;
  Fd socket = agent.socket();
  std::string run = R"({"run": {"argv": ["sleep", "1000"]}})";
  ASSERT_TRUE(write_all(socket.get(), run + "\n", Deadline::in(10s)));
  socket.reset();
  agent.wait_until_it_left();
  close(life[1]);
  pollfd gone{life[0], POLLIN, 0};  // readable at its end: no sleeper has the other end any more
  EXPECT_EQ(poll(&gone, 1, 10000), 1);
  close(life[0]);
}

TEST(Agent, half_a_line_of_the_client_before_does_not_confuse_it) {
  RunningAgent agent;
  Fd socket = agent.socket();
  ASSERT_TRUE(write_all(socket.get(), R"({"run": {"argv": ["sle)", Deadline::in(10s)));
  auto client = AgentClient::over(std::move(socket), Deadline::in(10s));
  ASSERT_TRUE(client) << one_line(client.error());
  EXPECT_EQ(*run(*client, shell("exit 4")).code, 4);
}

TEST(AgentClient, a_host_that_ends_meanwhile_is_an_io_error) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  close(ends[1]);
  std::signal(SIGPIPE, SIG_IGN);
  auto client = AgentClient::over(Fd(ends[0]), Deadline::in(10s));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, ErrorKind::io);
}

TEST(Protocol, base64_follows_rfc_4648_and_refuses_anything_else) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(from_base64("Zg=="), "f");
  EXPECT_EQ(from_base64("Zm8="), "fo");
  EXPECT_EQ(from_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(from_base64("Zm9"), std::nullopt);
  EXPECT_EQ(from_base64("Z?9v"), std::nullopt);
  EXPECT_EQ(from_base64("===="), std::nullopt);
}

}  // namespace
}  // namespace tessera::lab
