// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/qmp.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

namespace tessera::hypervisor {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr const char* greeting = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";

/// Plays QEMU on one end of a socket pair: sends the greeting, answers the n-th line it gets with
/// the n-th answer, then hangs up.
class PlayedQemu {
 public:
  PlayedQemu(const std::string& hello, const std::vector<std::string>& answers) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) abort();
    client_ = Fd(ends[0]);
    server_ =
        std::jthread([this, own = ends[1], hello, answers] { play(Fd(own), hello, answers); });
  }
  Fd client() { return std::move(client_); }
  std::vector<json> heard() {
    server_.join();
    return heard_;
  }

 private:
  void play(Fd socket, const std::string& hello, const std::vector<std::string>& answers) {
    say(socket, hello);
    for (const std::string& answer : answers) {
      std::string line;
      char letter = 0;
      while (recv(socket.get(), &letter, 1, 0) == 1 && letter != '\n') line += letter;
      heard_.push_back(json::parse(line, nullptr, false));
      say(socket, answer);
    }
  }
  static void say(const Fd& socket, const std::string& text) {
    (void)::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }

  Fd client_;
  std::vector<json> heard_;
  std::jthread server_;
};

TEST(Qmp, greets_negotiates_and_returns_the_value_of_a_command) {
  PlayedQemu qemu(greeting,
                  {"{\"return\": {}}\r\n", "{\"return\": {\"status\": \"running\"}}\r\n"});
  auto qmp = Qmp::over(qemu.client(), "test", Deadline::in(5s));
  ASSERT_TRUE(qmp) << one_line(qmp.error());
  auto status = qmp->execute("query-status", json::object(), Deadline::in(5s));
  ASSERT_TRUE(status) << one_line(status.error());
  EXPECT_EQ((*status)["status"], "running");
  auto heard = qemu.heard();
  EXPECT_EQ(heard[0], json({{"execute", "qmp_capabilities"}}));
  EXPECT_EQ(heard[1], json({{"execute", "query-status"}}));
}

TEST(Qmp, sends_arguments_as_given) {
  PlayedQemu qemu(greeting, {"{\"return\": {}}\n", "{\"return\": {}}\n"});
  auto qmp = Qmp::over(qemu.client(), "test", Deadline::in(5s));
  ASSERT_TRUE(qmp);
  ASSERT_TRUE(qmp->execute("screendump", {{"device", "gpu0"}}, Deadline::in(5s)));
  EXPECT_EQ(qemu.heard()[1]["arguments"], json({{"device", "gpu0"}}));
}

TEST(Qmp, skips_events_that_come_before_the_answer) {
  PlayedQemu qemu(greeting, {"{\"return\": {}}\n{\"event\": \"RESUME\"}\n",
                             "{\"event\": \"STOP\"}\n{\"return\": 7}\n"});
  auto qmp = Qmp::over(qemu.client(), "test", Deadline::in(5s));
  ASSERT_TRUE(qmp);
  auto answer = qmp->execute("stop", json::object(), Deadline::in(5s));
  ASSERT_TRUE(answer) << one_line(answer.error());
  EXPECT_EQ(*answer, 7);
}

TEST(Qmp, reports_a_refusal_in_qemus_own_words) {
  PlayedQemu qemu(
      greeting,
      {"{\"return\": {}}\n",
       "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'x' not found\"}}\n"});
  auto qmp = Qmp::over(qemu.client(), "test", Deadline::in(5s));
  ASSERT_TRUE(qmp);
  auto answer = qmp->execute("device_del", {{"id", "x"}}, Deadline::in(5s));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::invalid);
  EXPECT_EQ(answer.error().subject, "device_del");
  EXPECT_EQ(answer.error().sentence, "QEMU says: Device 'x' not found");
}

TEST(Qmp, a_hang_up_and_a_foreign_greeting_are_io_errors) {
  PlayedQemu gone("", {});
  auto nothing = Qmp::over(gone.client(), "test", Deadline::in(5s));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, ErrorKind::io);
  EXPECT_EQ(nothing.error().sentence, "QEMU hung up");
  PlayedQemu web("{\"hello\": 1}\n", {});
  auto foreign = Qmp::over(web.client(), "test", Deadline::in(5s));
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().kind, ErrorKind::io);
  PlayedQemu noise("HTTP/1.1 400 Bad Request\n", {});
  auto broken = Qmp::over(noise.client(), "test", Deadline::in(5s));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::io);
}

TEST(Qmp, gives_up_at_the_deadline) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Fd silent(ends[1]);
  auto qmp = Qmp::over(Fd(ends[0]), "test", Deadline::in(20ms));
  ASSERT_FALSE(qmp);
  EXPECT_EQ(qmp.error().kind, ErrorKind::timeout);
}

TEST(Qmp, a_missing_socket_is_not_found) {
  auto qmp = Qmp::connect("/nonexistent/qmp.sock", Deadline::in(1s));
  ASSERT_FALSE(qmp);
  EXPECT_EQ(qmp.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace tessera::hypervisor
