// SPDX-License-Identifier: Apache-2.0
#include "identity/session.h"

#include <cerrno>
#include <random>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tessera::identity {
namespace {

FunctionSpec function() {
  FunctionSpec f;
  f.name = "gpu";
  f.vendor = 0x10de;
  f.device = 0x1db4;
  f.bars = {{.index = 0,
             .size = 1 << 20,
             .width = Width::bits32,
             .prefetch = Prefetch::no,
             .backing = Backing::trapped},
            {.index = 1,
             .size = 1 << 20,
             .width = Width::bits64,
             .prefetch = Prefetch::yes,
             .backing = Backing::mapped}};
  return f;
}

class SessionTest : public ::testing::Test {
 protected:
  static Header header(std::uint16_t command, const Bytes& payload,
                       Answer answer = Answer::wanted) {
    return {.id = 1,
            .command = command,
            .size = static_cast<std::uint32_t>(header_size + payload.size()),
            .answer = answer};
  }
  Reply ask(Command command, const Bytes& payload, std::vector<Fd> fds = {}) {
    return talk_.handle(header(static_cast<std::uint16_t>(command), payload), payload,
                        std::move(fds));
  }
  bool withheld(Command command, const Bytes& payload) {
    return talk_.withheld(header(static_cast<std::uint16_t>(command), payload), payload);
  }
  static std::uint32_t error_of(const Reply& reply) {
    return reply.bytes.size() < header_size ? ~0U : std::to_integer<std::uint32_t>(reply.bytes[12]);
  }
  static Bytes body(const Reply& reply) {
    return {reply.bytes.begin() + static_cast<std::ptrdiff_t>(header_size), reply.bytes.end()};
  }
  static Bytes flr() { return Writer().u64(0x68).u32(config_region).u32(2).u16(0x8000).view(); }

  std::vector<std::string> heard_;
  Device device_ = std::move(*Device::create(function(), ResetBehaviour::flr, Sleep::loses_state));
  Session talk_{device_, [this](const std::string& line) { heard_.push_back(line); }};
};

TEST_F(SessionTest, the_version_answer_is_0_0_because_qemu_takes_no_other) {
  Bytes answer = body(ask(Command::version, Writer().u16(0).u16(1).view()));
  ASSERT_GT(answer.size(), 4U);
  EXPECT_EQ(Bytes(answer.begin(), answer.begin() + 4), Bytes(4));
  EXPECT_EQ(answer.back(), std::byte{0});
  EXPECT_EQ(error_of(ask(Command::version, Writer().u16(1).u16(0).view())),
            static_cast<std::uint32_t>(EOPNOTSUPP));
}

TEST_F(SessionTest, a_mapped_bar_s_info_brings_its_memory_file) {
  Reply mapped = ask(Command::region_info, Writer().u32(32).u32(0).u32(1).view());
  EXPECT_EQ(mapped.fd, device_.region_fd(1));
  EXPECT_EQ(body(mapped), Writer().u32(32).u32(7).u32(1).u32(0).u64(1 << 20).u64(0).view());
  EXPECT_EQ(ask(Command::region_info, Writer().u32(32).u32(0).u32(0).view()).fd, -1);
  Reply none = ask(Command::region_info, Writer().u32(32).u32(0).u32(99).view());
  EXPECT_EQ(error_of(none), static_cast<std::uint32_t>(EINVAL));
}

TEST_F(SessionTest, config_space_is_read_through_its_region) {
  Reply reply = ask(Command::region_read, Writer().u64(0).u32(config_region).u32(4).view());
  EXPECT_EQ(body(reply), Writer().u64(0).u32(config_region).u32(4).u16(0x10de).u16(0x1db4).view());
}

TEST_F(SessionTest, resets_of_all_three_ways_are_heard) {
  (void)ask(Command::region_write, flr());
  (void)ask(Command::region_write, Writer().u64(0x44).u32(config_region).u32(2).u16(3).view());
  (void)ask(Command::region_write, Writer().u64(0x44).u32(config_region).u32(2).u16(0).view());
  (void)ask(Command::reset, {});
  EXPECT_EQ(heard_, (std::vector<std::string>{"reset function", "reset power", "reset bus"}));
}

TEST_F(SessionTest, a_posted_write_is_carried_out_without_an_answer) {
  Bytes write = Writer().u64(0).u32(0).u32(4).u32(0x12345678).view();
  Reply reply = talk_.handle(header(10, write, Answer::unwanted), write, {});
  EXPECT_TRUE(reply.bytes.empty());
  Bytes data(4);
  device_.read(0, 0, data);
  EXPECT_EQ(data, Writer().u32(0x12345678).view());
}

TEST_F(SessionTest, a_hanging_reset_withholds_resets_and_nothing_else) {
  ASSERT_TRUE(device_.turn("hang=reset").has_value());
  EXPECT_TRUE(withheld(Command::reset, {}));
  EXPECT_TRUE(withheld(Command::region_write, flr()));
  EXPECT_FALSE(withheld(Command::region_write,
                        Writer().u64(0x68).u32(config_region).u32(2).u16(0x0010).view()));
  EXPECT_FALSE(withheld(Command::region_read, Writer().u64(0).u32(config_region).u32(4).view()));
  ASSERT_TRUE(device_.turn("hang=config").has_value());
  EXPECT_TRUE(withheld(Command::region_read, Writer().u64(0).u32(config_region).u32(4).view()));
  EXPECT_FALSE(withheld(Command::region_read, Writer().u64(0).u32(0).u32(4).view()));
  ASSERT_TRUE(device_.turn("hang=none").has_value());
  EXPECT_FALSE(withheld(Command::reset, {}));
}

TEST_F(SessionTest, an_interrupt_reaches_the_client_s_eventfd) {
  EXPECT_FALSE(talk_.interrupt());
  Fd ours(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::vector<Fd> fds;
  fds.emplace_back(dup(ours.get()));
  Reply reply = ask(Command::set_irqs, Writer().u32(20).u32(0x24).u32(0).u32(0).u32(1).view(),
                    std::move(fds));
  EXPECT_EQ(error_of(reply), 0U);
  EXPECT_TRUE(talk_.interrupt());
  std::uint64_t count = 0;
  EXPECT_EQ(read(ours.get(), &count, sizeof count), 8);
  EXPECT_EQ(count, 1U);
  (void)ask(Command::set_irqs, Writer().u32(20).u32(0x21).u32(0).u32(0).u32(0).view());
  EXPECT_FALSE(talk_.interrupt());
}

TEST_F(SessionTest, interrupts_that_the_card_has_not_are_refused) {
  for (std::uint32_t index : {1U, 4U, 5U, 0xffffffffU}) {
    Reply reply =
        ask(Command::set_irqs, Writer().u32(20).u32(0x21).u32(index).u32(0).u32(1).view());
    EXPECT_EQ(error_of(reply), static_cast<std::uint32_t>(EINVAL)) << index;
  }
}

// Not a fuzzer, but its shape: whatever comes, every command gets one well-formed answer.
TEST_F(SessionTest, random_messages_are_all_answered) {
  std::mt19937 random(20261120);
  for (int round = 0; round < 50000; ++round) {
    auto command = static_cast<std::uint16_t>(random() % 18);
    Bytes payload(random() % 48);
    for (std::byte& b : payload)
      b = random() % 3 == 0 ? static_cast<std::byte>(random()) : std::byte{0};
    Header asked = header(command, payload);
    (void)talk_.withheld(asked, payload);
    Reply reply = talk_.handle(asked, payload, {});
    ASSERT_GE(reply.bytes.size(), header_size);
    ASSERT_LE(reply.bytes.size(), max_message);
    ASSERT_EQ(std::to_integer<unsigned>(reply.bytes[8]) & 0xfU, 1U) << "it is a reply";
    heard_.clear();
  }
}

}  // namespace
}  // namespace tessera::identity
