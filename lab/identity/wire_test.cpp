// SPDX-License-Identifier: Apache-2.0
#include "identity/wire.h"

#include <gtest/gtest.h>

namespace tessera::identity {
namespace {

Bytes header_bytes(std::uint16_t command, std::uint32_t size, std::uint32_t flags = 0) {
  return Writer().u16(7).u16(command).u32(size).u32(flags).u32(0).view();
}

Result<Request> parse(Command command, const Bytes& payload) {
  Header header{.id = 7,
                .command = static_cast<std::uint16_t>(command),
                .size = static_cast<std::uint32_t>(header_size + payload.size()),
                .answer = Answer::wanted};
  return parse_request(header, payload);
}

TEST(wire, a_header_tells_its_message_s_length_and_whether_an_answer_is_wanted) {
  auto header = parse_header(header_bytes(9, 32, 0x10));
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->id, 7);
  EXPECT_EQ(header->command, 9);
  EXPECT_EQ(header->size, 32U);
  EXPECT_EQ(header->answer, Answer::unwanted);
}

TEST(wire, an_impossible_header_is_refused) {
  EXPECT_FALSE(parse_header(header_bytes(9, 15)).has_value());
  EXPECT_FALSE(parse_header(header_bytes(9, max_message + 1)).has_value());
  EXPECT_FALSE(parse_header(header_bytes(9, 16, 1)).has_value()) << "a reply is no command";
  Bytes cut = header_bytes(9, 16);
  cut.resize(15);
  EXPECT_FALSE(parse_header(cut).has_value());
}

TEST(wire, every_request_that_is_cut_short_is_refused) {
  const Command commands[] = {Command::version,     Command::dma_map,     Command::dma_unmap,
                              Command::region_info, Command::irq_info,    Command::set_irqs,
                              Command::region_read, Command::region_write};
  const std::size_t whole[] = {4, 32, 24, 12, 12, 20, 16, 16};
  for (std::size_t i = 0; i < std::size(commands); ++i)
    for (std::size_t size = 0; size < whole[i]; ++size)
      EXPECT_FALSE(parse(commands[i], Bytes(size)).has_value())
          << "command " << static_cast<int>(commands[i]) << " of " << size << " bytes";
}

TEST(wire, a_dma_range_that_wraps_around_is_refused) {
  auto map = [](std::uint64_t address, std::uint64_t size) {
    return parse(Command::dma_map, Writer().u32(32).u32(3).u64(0).u64(address).u64(size).view());
  };
  EXPECT_TRUE(map(0xffffffffffffe000, 0x1000).has_value());
  EXPECT_FALSE(map(0xfffffffffffff000, 0x1000).has_value());
  EXPECT_FALSE(map(0, 0).has_value());
}

TEST(wire, a_write_that_promises_more_data_than_it_brings_is_refused) {
  auto write = [](std::uint32_t promised, std::size_t brought) {
    return parse(Command::region_write,
                 Writer().u64(4).u32(7).u32(promised).bytes(Bytes(brought)).view());
  };
  auto good = write(4, 4);
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(std::get<RegionWrite>(*good).data.size(), 4U);
  EXPECT_FALSE(write(5, 4).has_value());
  EXPECT_FALSE(write(0xffffffff, 4).has_value());
}

TEST(wire, a_read_of_more_than_was_agreed_is_refused) {
  auto read = [](std::uint32_t count) {
    return parse(Command::region_read, Writer().u64(0).u32(1).u32(count).view());
  };
  EXPECT_TRUE(read(max_transfer).has_value());
  EXPECT_FALSE(read(max_transfer + 1).has_value());
}

TEST(wire, an_interrupt_set_needs_one_kind_of_data_and_one_action) {
  auto set = [](std::uint32_t flags, std::uint32_t start, std::uint32_t count) {
    return parse(Command::set_irqs,
                 Writer().u32(20).u32(flags).u32(0).u32(start).u32(count).view());
  };
  EXPECT_TRUE(set(0x24, 0, 1).has_value());
  EXPECT_FALSE(set(0x20, 0, 1).has_value());
  EXPECT_FALSE(set(0x25, 0, 1).has_value());
  EXPECT_FALSE(set(0x34, 0, 1).has_value());
  EXPECT_FALSE(set(0x124, 0, 1).has_value());
  EXPECT_FALSE(set(0x24, 1, 0xffffffff).has_value());
}

TEST(wire, an_unknown_command_is_told_from_a_malformed_one) {
  auto unknown = parse(static_cast<Command>(4711), {});
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().kind, ErrorKind::unsupported);
  auto malformed = parse(Command::region_read, {});
  ASSERT_FALSE(malformed.has_value());
  EXPECT_EQ(malformed.error().kind, ErrorKind::invalid);
}

TEST(wire, a_reply_repeats_id_and_command_and_an_error_carries_its_errno) {
  Header header{.id = 0x1234, .command = 9, .size = 32, .answer = Answer::wanted};
  EXPECT_EQ(make_reply(header, Writer().u16(0xabcd).view()),
            Writer().u16(0x1234).u16(9).u32(18).u32(1).u32(0).u16(0xabcd).view());
  EXPECT_EQ(make_error(header, 22), Writer().u16(0x1234).u16(9).u32(16).u32(0x21).u32(22).view());
}

}  // namespace
}  // namespace tessera::identity
