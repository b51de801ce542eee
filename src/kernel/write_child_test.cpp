// SPDX-License-Identifier: Apache-2.0
#include "kernel/write_child.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wait.h"
#include "kernel/test_root.h"

namespace tessera::kernel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// "/fifo" of a directory root takes a write only after drain(): a kernel that does not answer.
class HungWrite : public testing::Test {
 protected:
  HungWrite() : root_(open_or_die(host_.real())) {
    host_.file("/late/1", "");
    host_.file("/late/2", "");
    auto path = host_.real("/fifo");
    if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    fifo_ = Fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    std::array<char, 4096> block = {};
    while (::write(fifo_.get(), block.data(), block.size()) > 0) {
    }
    watch_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    ::inotify_add_watch(watch_.get(), host_.real("/late/2").c_str(), IN_CLOSE_WRITE);
  }
  void TearDown() override { drain(); }

  void drain() const {
    std::array<char, 4096> block;
    while (::read(fifo_.get(), block.data(), block.size()) > 0) {
    }
  }
  Status write_and_give_up(milliseconds patience) const {
    return root_.write("/fifo", "0000:01:00.0", Deadline::in(patience), late_);
  }
  void expect_the_late_writes() const {
    std::array<pollfd, 2> waiting = {{{.fd = watch_.get(), .events = POLLIN, .revents = 0},
                                      {.fd = fifo_.get(), .events = POLLIN, .revents = 0}}};
    auto deadline = Deadline::in(seconds(20));
    while (waiting[0].revents == 0 && !deadline.passed()) {
      ::poll(waiting.data(), waiting.size(), static_cast<int>(deadline.left().count()));
      drain();
    }
    EXPECT_EQ(host_.content("/late/1"), "first");
    EXPECT_EQ(host_.content("/late/2"), "second");
  }

  TestDirectory host_;
  Root root_;
  Fd fifo_;
  Fd watch_;
  std::vector<Root::LateWrite> late_ = {
      {"/late/missing", "x"}, {"/late/1", "first"}, {"/late/2", "second"}};
};

TEST_F(HungWrite, is_given_up_at_the_deadline_and_names_the_process_left_behind) {
  auto status = write_and_give_up(milliseconds(100));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::timeout);
  EXPECT_EQ(status.error().subject, "/fifo");
  const auto& sentence = status.error().sentence;
  constexpr std::string_view start =
      "the kernel has not answered the write of '0000:01:00.0' after 100 ms; process ";
  ASSERT_TRUE(sentence.starts_with(start)) << sentence;
  EXPECT_EQ(::kill(std::stoi(sentence.substr(start.size())), 0), 0);
  EXPECT_FALSE(status.error().hint.empty());
}

TEST_F(HungWrite, that_comes_back_late_is_followed_by_the_late_writes_in_order) {
  ASSERT_FALSE(write_and_give_up(milliseconds(50)));
  EXPECT_EQ(host_.content("/late/1"), "");
  drain();
  expect_the_late_writes();
}

TEST_F(HungWrite, is_followed_by_the_late_writes_when_its_caller_is_killed) {
  drain();
  const std::string more_than_a_fifo_takes(100'000, 'x');
  pid_t caller = ::fork();
  if (caller == 0) {
    (void)root_.write("/fifo", more_than_a_fifo_takes, Deadline::in(seconds(60)), late_);
    ::_exit(0);
  }
  ASSERT_GT(caller, 0);
  EXPECT_TRUE(wait_until_ready(fifo_.get(), POLLIN,
                               Deadline::in(seconds(20))));  // now it is inside write(2)
  ASSERT_EQ(::kill(caller, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(caller, &status, 0), caller);
  ASSERT_TRUE(WIFSIGNALED(status));
  drain();
  expect_the_late_writes();
}

TEST_F(HungWrite, holds_nothing_that_its_caller_had_open) {
  std::array<int, 2> pair = {-1, -1};
  ASSERT_EQ(::pipe2(pair.data(), O_CLOEXEC), 0);
  Fd reading(pair[0]);
  Fd writing(pair[1]);
  ASSERT_FALSE(write_and_give_up(milliseconds(50)));
  writing.reset();
  ASSERT_TRUE(wait_until_ready(reading.get(), POLLIN, Deadline::in(seconds(20))));
  char byte = 0;
  EXPECT_EQ(::read(reading.get(), &byte, 1), 0);
}

TEST_F(HungWrite, leaves_no_child_for_its_caller_to_reap) {
  ASSERT_FALSE(write_and_give_up(milliseconds(50)));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(WriteInChild, reaches_the_file_with_one_write_and_no_late_ones) {
  TestDirectory host;
  host.file("/bind", "");
  host.file("/late", "");
  auto root = open_or_die(host.real());
  auto status = root.write("/bind", "0000:01:00.0", Deadline::in(seconds(20)), {{"/late", "x"}});
  EXPECT_TRUE(status) << one_line(status.error());
  EXPECT_EQ(host.content("/bind"), "0000:01:00.0");
  EXPECT_EQ(host.content("/late"), "");
}

TEST(WriteInChild, tells_what_the_kernel_answered) {
  auto status = open_or_die("/").write("/dev/full", "1\n", Deadline::in(seconds(20)));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::io);
  EXPECT_EQ(status.error().sentence, "cannot write '1' to it: No space left on device (ENOSPC)");
}

TEST(WriteInChild, neither_creates_nor_shortens_files) {
  TestDirectory host;
  host.file("/value", "longer than that");
  auto root = open_or_die(host.real());
  auto missing = root.write("/missing", "1", Deadline::in(seconds(20)));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(root.exists("/missing"));
  EXPECT_TRUE(root.write("/value", "LONGER", Deadline::in(seconds(20))));
  EXPECT_EQ(host.content("/value"), "LONGER than that");
}

TEST(WriteInChild, refuses_a_write_that_would_do_nothing) {
  TestDirectory host;
  host.file("/driver_override", "");
  auto status = open_or_die(host.real()).write("/driver_override", "", Deadline::in(seconds(20)));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::invalid);
}

/// The processes that are left to us instead of init.
std::vector<pid_t> left_to_us() {
  std::ifstream list(fmt::format("/proc/self/task/{}/children", ::gettid()));
  return {std::istream_iterator<pid_t>(list), std::istream_iterator<pid_t>()};
}

TEST(WriteInChild, one_process_serves_many_writes_and_another_takes_its_place) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  TestDirectory host;
  host.file("/bind", "");
  auto root = open_or_die(host.real());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(root.write("/bind", "x", Deadline::in(seconds(20))));
  const auto first = left_to_us();
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(::kill(first[0], SIGKILL), 0);
  ASSERT_EQ(::waitpid(first[0], nullptr, 0), first[0]);
  EXPECT_TRUE(root.write("/bind", "y", Deadline::in(seconds(20))));
  EXPECT_EQ(host.content("/bind"), "y");
  const auto second = left_to_us();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(second[0], first[0]);
  root = open_or_die(host.real());  // the other one is gone, and its process ends by itself
  EXPECT_EQ(::waitpid(second[0], nullptr, 0), second[0]);
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

TEST_F(HungWrite, that_was_given_up_stops_none_that_follows) {
  ASSERT_FALSE(write_and_give_up(milliseconds(50)));
  EXPECT_TRUE(root_.write("/late/1", "next", Deadline::in(seconds(20))));
  EXPECT_EQ(host_.content("/late/1"), "next");
}

TEST(WriteInChild, a_hundred_writes_leak_no_descriptor) {
  TestDirectory host;
  host.file("/bind", "");
  auto root = open_or_die(host.real());
  ASSERT_TRUE(root.write("/bind", "x", Deadline::in(seconds(20))));  // what it needs, it has now
  Fd before(::dup(0));
  int lowest = before.get();
  before.reset();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(root.write("/bind", "x", Deadline::in(seconds(20))));
  }
  Fd after(::dup(0));
  EXPECT_EQ(after.get(), lowest);
}

}  // namespace
}  // namespace tessera::kernel
