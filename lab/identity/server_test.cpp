// SPDX-License-Identifier: Apache-2.0
#include "identity/server.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test_directory.h"
#include "base/unix_socket.h"
#include "identity/wire.h"

namespace tessera::identity {
namespace {

FunctionSpec function() {
  FunctionSpec f;
  f.name = "gpu";
  f.vendor = 0x10de;
  f.device = 0x1db4;
  f.bars = {{.index = 1,
             .size = 1 << 20,
             .width = Width::bits64,
             .prefetch = Prefetch::yes,
             .backing = Backing::mapped}};
  return f;
}

// A connection, or an empty Fd.
Fd knock(const std::string& path) {
  auto fd = connect_unix(path, "nobody listens");
  if (!fd) return Fd();
  timeval patience{10, 0};
  (void)setsockopt(fd->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return std::move(*fd);
}

Fd connect_to(const std::string& path) {
  Fd fd = knock(path);
  EXPECT_TRUE(fd.valid()) << path;
  return fd;
}

void send_bytes(const Fd& to, const Bytes& bytes) {
  ASSERT_EQ(send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

Bytes message(std::uint16_t command, const Bytes& payload) {
  auto size = static_cast<std::uint32_t>(header_size + payload.size());
  return Writer().u16(3).u16(command).u32(size).u32(0).u32(0).bytes(payload).view();
}

// The next `size` bytes, fewer when the server hangs up; a descriptor that came along in `fd`.
Bytes receive(const Fd& from, std::size_t size, Fd* fd = nullptr) {
  Bytes got(size);
  std::size_t have = 0;
  while (have < size) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec data{got.data() + have, size - have};
    msghdr head{};
    head.msg_iov = &data;
    head.msg_iovlen = 1;
    head.msg_control = control;
    head.msg_controllen = sizeof control;
    ssize_t n = recvmsg(from.get(), &head, MSG_CMSG_CLOEXEC);
    if (n <= 0) break;
    have += static_cast<std::size_t>(n);
    cmsghdr* c = CMSG_FIRSTHDR(&head);
    if (c != nullptr && fd != nullptr) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(c), sizeof number);
      *fd = Fd(number);
    }
  }
  got.resize(have);
  return got;
}

class ServerTest : public ::testing::Test {
 protected:
  void TearDown() override {
    if (done_.valid()) (void)end();  // best effort: it may have ended already
    done_ = {};
  }

  // Talks nonsense, at which the server hangs up and ends; false when nobody listens.
  bool end() const {
    Fd client = knock(paths_.socket);
    Bytes nonsense(16, std::byte{0xff});
    return send(client.get(), nonsense.data(), nonsense.size(), MSG_NOSIGNAL) == 16;
  }
  void start() {
    auto opened = Server::open(*Device::create(function(), ResetBehaviour::flr), paths_);
    ASSERT_TRUE(opened.has_value()) << one_line(opened.error());
    done_ = std::async(std::launch::async, [card = std::move(*opened)]() mutable {
      return card.run(Deadline::in(Milliseconds(10000)));
    });
  }
  std::string turn(const std::string& knob) const {
    Fd control = connect_to(paths_.control);
    std::string line = knob + "\n";
    EXPECT_GT(send(control.get(), line.data(), line.size(), MSG_NOSIGNAL), 0);
    char answer[512] = {};
    ssize_t n = recv(control.get(), answer, sizeof answer, 0);
    return std::string(answer, n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  std::string log() const {
    std::ifstream file(paths_.log);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TestDirectory directory_;
  ServerPaths paths_{.socket = directory_.real("/card.sock"),
                     .control = directory_.real("/card.ctl"),
                     .log = directory_.real("/card.log")};
  std::future<Status> done_;
};

TEST_F(ServerTest, a_card_lives_as_long_as_its_machine) {
  start();
  Fd client = connect_to(paths_.socket);
  send_bytes(client, message(4, Bytes(16)));
  EXPECT_EQ(receive(client, 32).size(), 32U);
  client.reset();
  EXPECT_TRUE(done_.get().has_value());
  EXPECT_NE(log().find("client left"), std::string::npos);
}

TEST_F(ServerTest, its_sockets_go_with_it) {
  start();
  ASSERT_TRUE(end());
  ASSERT_TRUE(done_.get().has_value());
  EXPECT_FALSE(std::filesystem::exists(paths_.socket));
  EXPECT_FALSE(std::filesystem::exists(paths_.control));
}

TEST_F(ServerTest, a_message_may_arrive_byte_by_byte) {
  start();
  Fd client = connect_to(paths_.socket);
  for (std::byte b : message(9, Writer().u64(0).u32(config_region).u32(4).view()))
    send_bytes(client, Bytes{b});
  Bytes reply = receive(client, 16 + 16 + 4);
  ASSERT_EQ(reply.size(), 36U);
  EXPECT_EQ(reply[32], std::byte{0xde});
  EXPECT_EQ(reply[33], std::byte{0x10});
}

TEST_F(ServerTest, video_memory_is_the_same_file_on_both_sides) {
  start();
  Fd client = connect_to(paths_.socket), memory;
  send_bytes(client, message(5, Writer().u32(32).u32(0).u32(1).view()));
  EXPECT_EQ(receive(client, 48, &memory).size(), 48U);
  ASSERT_TRUE(memory.valid());
  void* mapped = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  std::memcpy(mapped, "tessera", 7);
  send_bytes(client, message(9, Writer().u64(0).u32(1).u32(7).view()));
  Bytes reply = receive(client, 16 + 16 + 7);
  ASSERT_EQ(reply.size(), 39U);
  EXPECT_EQ(std::memcmp(reply.data() + 32, "tessera", 7), 0);
  munmap(mapped, 4096);
}

TEST_F(ServerTest, a_stream_that_makes_no_sense_is_hung_up_on) {
  start();
  Fd client = connect_to(paths_.socket);
  send_bytes(client, Bytes(16, std::byte{0xff}));
  EXPECT_TRUE(receive(client, 1).empty());
  EXPECT_TRUE(done_.get().has_value());
}

TEST_F(ServerTest, a_hanging_reset_is_answered_when_the_knob_is_turned_back) {
  start();
  Fd client = connect_to(paths_.socket);
  EXPECT_EQ(turn("hang=reset"), "ok\n");
  send_bytes(client, message(13, {}));
  while (turn("status").find("hanging=yes") == std::string::npos) {
  }
  std::byte none{};
  EXPECT_EQ(recv(client.get(), &none, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(turn("hang=none"), "ok\n");
  EXPECT_EQ(receive(client, 16).size(), 16U);
  EXPECT_NE(turn("status").find("bus=1"), std::string::npos);
}

TEST_F(ServerTest, a_card_off_the_bus_reads_all_ones_until_it_is_back) {
  start();
  Fd client = connect_to(paths_.socket);
  Bytes ask = message(9, Writer().u64(0).u32(config_region).u32(2).view());
  EXPECT_EQ(turn("config_read=ffffffff"), "ok\n");
  send_bytes(client, ask);
  EXPECT_EQ(receive(client, 34).back(), std::byte{0xff});
  EXPECT_EQ(turn("config_read=ok"), "ok\n");
  send_bytes(client, ask);
  EXPECT_EQ(receive(client, 34).back(), std::byte{0x10});
}

TEST_F(ServerTest, a_knob_that_is_not_there_is_told) {
  start();
  EXPECT_EQ(turn("speed=11").find("error: speed=11: there is no such knob"), 0U);
  EXPECT_EQ(turn("interrupt").find("error:"), 0U);
}

TEST_F(ServerTest, a_path_in_use_is_refused_and_a_stale_one_replaced) {
  start();
  auto second = Server::open(*Device::create(function(), ResetBehaviour::flr), paths_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::busy);
  EXPECT_EQ(turn("status").find("waiting"), 0U)
      << "the first one does not take a knock for a machine";
  ASSERT_TRUE(end());
  ASSERT_TRUE(done_.get().has_value());
  ASSERT_TRUE(listen_unix(paths_.socket, 1).has_value());  // closed at once; its file stays
  EXPECT_TRUE(Server::open(*Device::create(function(), ResetBehaviour::flr), paths_).has_value());
}

TEST_F(ServerTest, a_file_in_the_socket_s_place_is_not_deleted) {
  std::ofstream(paths_.socket) << "precious";
  auto opened = Server::open(*Device::create(function(), ResetBehaviour::flr), paths_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind, ErrorKind::invalid);
  EXPECT_TRUE(std::filesystem::is_regular_file(paths_.socket));
}

TEST_F(ServerTest, no_machine_in_time_is_an_error) {
  auto opened = Server::open(*Device::create(function(), ResetBehaviour::flr), paths_);
  ASSERT_TRUE(opened.has_value());
  auto ran = opened->run(Deadline::in(Milliseconds(1)));
  ASSERT_FALSE(ran.has_value());
  EXPECT_EQ(ran.error().kind, ErrorKind::timeout);
}

TEST_F(ServerTest, the_program_s_exit_status_tells_a_bad_call_from_a_bad_day) {
  auto status = [&](const std::string& arguments) {
    std::string command =
        fmt::format("{} {} >{}/out 2>&1", IDENTITY_CARD_BINARY, arguments, directory_.real());
    int code = std::system(command.c_str());
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
  };
  std::string card = std::string(IDENTITY_CARDS) + "/rtx-2080-ti.yaml";
  EXPECT_EQ(status("--list --card " + card), 0);
  EXPECT_EQ(status("--card " + card), 2) << "no socket";
  EXPECT_EQ(status("--card /nowhere.yaml --socket " + paths_.socket), 1);
  EXPECT_EQ(status("--function 4 --card " + card + " --socket " + paths_.socket), 1);
  directory_.file("/bad.yaml", "card: x\n");
  EXPECT_EQ(status("--list --card " + directory_.real("/bad.yaml")), 2);
}

}  // namespace
}  // namespace tessera::identity
