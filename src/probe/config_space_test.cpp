// SPDX-License-Identifier: Apache-2.0
#include "probe/config_space.h"

#include <gtest/gtest.h>

#include "probe/inline_host.h"
#include "probe/probe.h"

namespace tessera::probe {
namespace {

using model::ExpressType;

/// A configuration space under construction, all zeros at first.
class Space {
 public:
  explicit Space(std::size_t size = 4096) : bytes_(size, '\0') {}
  Space& u8(std::size_t at, unsigned value) {
    bytes_.at(at) = static_cast<char>(value);
    return *this;
  }
  Space& u16(std::size_t at, unsigned value) {
    return u8(at, value & 0xffU).u8(at + 1, value >> 8U);
  }
  Space& u32(std::size_t at, unsigned value) {
    return u16(at, value & 0xffffU).u16(at + 2, value >> 16U);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// A PCI Express function with its capability at 0x40 and nothing after it.
Space express(unsigned type, unsigned device_capabilities = 0) {
  return Space()
      .u16(6, 0x10)
      .u8(0x34, 0x40)
      .u8(0x40, 0x10)
      .u16(0x42, type << 4U | 2U)
      .u32(0x44, device_capabilities);
}

TEST(ConfigSpace, tells_the_place_in_the_tree_and_a_function_level_reset) {
  auto found = parse_config_space(express(0, 1U << 28U).bytes());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found.value().type, ExpressType::endpoint);
  EXPECT_TRUE(found.value().function_level_reset);
  EXPECT_EQ(parse_config_space(express(4).bytes()).value().type, ExpressType::root_port);
  EXPECT_EQ(parse_config_space(express(6).bytes()).value().type, ExpressType::downstream_port);
  EXPECT_EQ(parse_config_space(express(7).bytes()).value().type, ExpressType::pcie_to_pci_bridge);
  EXPECT_EQ(parse_config_space(Space().bytes()).value().type, ExpressType::conventional);
}

TEST(ConfigSpace, acs_isolates_only_when_all_four_are_on) {
  auto space = express(4).u32(0x100, 0x0001000d).u16(0x104, 0x5f).u16(0x106, 0x1d);
  auto acs = parse_config_space(space.bytes()).value().acs;
  ASSERT_TRUE(acs);
  EXPECT_TRUE(acs->isolates());
  acs = parse_config_space(space.u16(0x106, 0x1c).bytes()).value().acs;
  EXPECT_FALSE(acs->isolates());
  EXPECT_TRUE(acs->can_isolate());
}

TEST(ConfigSpace, resizable_bars_and_virtual_functions_are_read_down_the_chain) {
  auto space = express(0)
                   .u32(0x100, 0x14010015)  // resizable BAR, next at 0x140
                   .u32(0x104, 0x7fU << 12U)
                   .u32(0x108, 0x00000e00 | 1U << 5U | 2U)
                   .u32(0x140, 0x00010010)  // SR-IOV, the last
                   .u16(0x148, 1)
                   .u16(0x14e, 31)
                   .u16(0x150, 4)
                   .u16(0x154, 2)
                   .u16(0x156, 1)
                   .u16(0x15a, 0x56c0);
  auto found = parse_config_space(space.bytes()).value();
  ASSERT_EQ(found.resizable_bars.size(), 1U);
  EXPECT_EQ(found.resizable_bars[0].index, 2);
  EXPECT_EQ(found.resizable_bars[0].size_mib, 16384U);
  EXPECT_EQ(found.resizable_bars[0].possible_mib,
            (std::vector<std::uint64_t>{256, 512, 1024, 2048, 4096, 8192, 16384}));
  ASSERT_TRUE(found.sr_iov);
  EXPECT_EQ(*found.sr_iov,
            (model::SrIov{
                .total_vfs = 31, .enabled_vfs = 4, .offset = 2, .stride = 1, .vf_device = 0x56c0}));
}

TEST(ConfigSpace, a_device_that_fell_off_answers_ones) {
  EXPECT_TRUE(parse_config_space(std::string(256, '\xff')).value().silent);
  // Below a hypervisor, which keeps the addresses itself.
  EXPECT_TRUE(parse_config_space(std::string(16, '\xff') + std::string(240, '\0')).value().silent);
  // A virtual function's ids are all ones.
  auto function = express(0).bytes();
  function.replace(0, 4, 4, '\xff');
  EXPECT_FALSE(parse_config_space(function).value().silent);
}

TEST(ConfigSpace, what_only_root_may_read_is_unreadable_not_empty) {
  EXPECT_TRUE(parse_config_space(express(0).bytes().substr(0, 64)).is_unreadable());
  EXPECT_TRUE(parse_config_space("\x86\x80").is_unreadable());
}

TEST(ConfigSpace, chains_that_loop_end) {
  auto space = express(0).u8(0x41, 0x40).u32(0x100, 0x1001000d);
  EXPECT_EQ(parse_config_space(space.bytes()).value().type, ExpressType::endpoint);
}

TEST(ConfigSpace, resource_lines_keep_their_index) {
  auto bars = parse_resource(
      "0x00000000a0000000 0x00000000a0ffffff 0x0000000000040200\n"
      "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
      "0x0000200000000000 0x0000200fffffffff 0x000000000014220c\n"
      "0x000000000000e000 0x000000000000e07f 0x0000000000040101\n"
      "nonsense\n");
  ASSERT_EQ(bars.size(), 3U);
  EXPECT_EQ(bars[0].size(), std::uint64_t{16} << 20U);
  EXPECT_FALSE(bars[0].wide);
  EXPECT_EQ(bars[1].index, 2);
  EXPECT_EQ(bars[1].size(), std::uint64_t{64} << 30U);
  EXPECT_TRUE(bars[1].wide && bars[1].prefetchable);
  EXPECT_TRUE(bars[2].io);
}

TEST(ConfigSpace, a_device_in_deep_sleep_is_left_asleep) {
  const std::string host =
      "/sys/bus/pci/devices/0000:01:00.0/class\t0x030000\n"
      "/sys/bus/pci/devices/0000:01:00.0/config\t@hex(256) de10b41d\n"
      "/sys/bus/pci/devices/0000:01:00.0/power_state\t";
  auto asleep = take_snapshot(inline_host(host + "D3cold\n"));
  auto awake = take_snapshot(inline_host(host + "D0\n"));
  ASSERT_TRUE(asleep && awake);
  EXPECT_TRUE(asleep->functions.at(0).capabilities.is_absent());
  EXPECT_TRUE(awake->functions.at(0).capabilities.has_value());
}

}  // namespace
}  // namespace tessera::probe
