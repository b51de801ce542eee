// SPDX-License-Identifier: Apache-2.0
#include "identity/device.h"

#include <gtest/gtest.h>

#include "identity/wire.h"

namespace tessera::identity {
namespace {

constexpr std::uint64_t command = 0x04, bar0 = 0x10, bar1 = 0x14, pm_status = 0x44,
                        device_control = 0x68;

FunctionSpec function() {
  BarSpec registers{.index = 0,
                    .size = 16 << 20,
                    .width = Width::bits32,
                    .prefetch = Prefetch::no,
                    .backing = Backing::trapped};
  BarSpec memory{.index = 1,
                 .size = 256 << 20,
                 .width = Width::bits64,
                 .prefetch = Prefetch::yes,
                 .backing = Backing::mapped};
  return {.name = "gpu",
          .vendor = 0x10de,
          .device = 0x1db4,
          .subsystem_vendor = 0x10de,
          .subsystem_device = 0x1214,
          .class_code = 0x030200,
          .revision = 0xa1,
          .bars = {registers, memory},
          .registers = {{0, 0x140000a1}}};
}

Device make(ResetBehaviour reset = ResetBehaviour::flr, Sleep sleep = Sleep::keeps_state) {
  auto device = Device::create(function(), reset, sleep);
  EXPECT_TRUE(device.has_value());
  return std::move(*device);
}

std::uint32_t read32(const Device& device, std::uint64_t offset,
                     std::uint32_t region = config_region) {
  Bytes data(4);
  device.read(region, offset, data);
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(data[i]);
  return value;
}

void write32(Device& device, std::uint64_t offset, std::uint32_t value,
             std::uint32_t region = config_region) {
  device.write(region, offset, Writer().u32(value).view());
}

void write16(Device& device, std::uint64_t offset, std::uint16_t value) {
  device.write(config_region, offset, Writer().u16(value).view());
}

TEST(device, fixed_bytes_of_bar_0_keep_what_they_are) {
  auto spec = function();
  spec.fixed = {{0x0, 2}, {0x59, 1}};
  auto device = Device::create(spec, ResetBehaviour::flr).value();
  write32(device, 0x0, 0x11223344, 0);
  EXPECT_EQ(read32(device, 0x0, 0), 0x112200a1U) << "the first two bytes stay";
  write32(device, 0x58, 0xffffffff, 0);
  EXPECT_EQ(read32(device, 0x58, 0), 0xffff00ffU);
  write32(device, 0x10, 0xffffffff, 1);
  EXPECT_EQ(read32(device, 0x10, 1), 0xffffffffU) << "BAR 1 is not BAR 0";
}

TEST(device, its_header_shows_the_identity) {
  Device device = make();
  EXPECT_EQ(read32(device, 0x00), 0x1db410deU);
  EXPECT_EQ(read32(device, 0x08), 0x030200a1U);
  EXPECT_EQ(read32(device, 0x2c), 0x121410deU);
  EXPECT_EQ(read32(device, 0x00, 0), 0x140000a1U) << "the first register names the chip";
}

TEST(device, a_bar_of_all_ones_reads_back_its_size_and_kind) {
  Device device = make();
  write32(device, bar0, 0xffffffff);
  EXPECT_EQ(read32(device, bar0), 0xff000000U) << "16 MiB, 32-bit, not prefetchable";
  write32(device, bar1, 0xffffffff);
  write32(device, bar1 + 4, 0xffffffff);
  EXPECT_EQ(read32(device, bar1), 0xf000000cU) << "256 MiB, 64-bit, prefetchable";
  EXPECT_EQ(read32(device, bar1 + 4), 0xffffffffU);
  write32(device, 0x1c, 0xffffffff);
  EXPECT_EQ(read32(device, 0x1c), 0U) << "there is no BAR 3";
  write32(device, 0x30, 0xffffffff);
  EXPECT_EQ(read32(device, 0x30), 0U) << "there is no ROM";
}

TEST(device, a_bar_keeps_an_address_written_in_pieces) {
  Device device = make();
  write32(device, bar1, 0x80000000);
  write32(device, bar1 + 4, 0x00000012);
  EXPECT_EQ(read32(device, bar1), 0x8000000cU);
  EXPECT_EQ(read32(device, bar1 + 4), 0x12U);
  device.write(config_region, bar0 + 3, Bytes{std::byte{0xfe}});
  EXPECT_EQ(read32(device, bar0), 0xfe000000U);
}

TEST(device, the_command_register_takes_only_the_bits_that_exist) {
  Device device = make();
  write16(device, command, 0xffff);
  EXPECT_EQ(read32(device, command) & 0xffff, 0x0547U);
  write16(device, command, 0);
  EXPECT_EQ(read32(device, command) & 0xffff, 0U);
}

TEST(device, the_identity_cannot_be_written) {
  Device device = make();
  for (std::uint64_t offset = 0; offset < config_size; offset += 4)
    if (offset != device_control) write32(device, offset, 0xffffffff);
  EXPECT_EQ(read32(device, 0x00), 0x1db410deU);
  EXPECT_EQ(read32(device, 0x08), 0x030200a1U);
  EXPECT_EQ(read32(device, 0x34) & 0xff, 0x40U);
  EXPECT_EQ(read32(device, 0x100), 0U);
}

TEST(device, its_capabilities_are_a_chain_that_ends) {
  Device device = make();
  EXPECT_EQ(read32(device, 0x40) & 0xffff, 0x6001U) << "power management, next at 0x60";
  EXPECT_EQ(read32(device, 0x60) & 0xffff, 0x0010U) << "PCI Express, the last";
}

TEST(device, a_function_level_reset_puts_everything_back) {
  Device device = make();
  EXPECT_TRUE(read32(device, 0x64) & 1U << 28) << "the capability offers it";
  write32(device, bar0, 0xfe000000);
  write16(device, command, 6);
  write32(device, 0x10, 0x5a5a5a5a, 0);
  write16(device, device_control, 0x8000);
  EXPECT_EQ(read32(device, bar0), 0U);
  EXPECT_EQ(read32(device, command) & 0xffff, 0U);
  EXPECT_EQ(read32(device, 0x10, 0), 0U);
  EXPECT_EQ(read32(device, device_control) & 0xffff, 0U);
  EXPECT_EQ(device.resets(ResetKind::function), 1U);
}

TEST(device, a_card_without_a_function_level_reset_neither_offers_nor_does_it) {
  for (ResetBehaviour behaviour : {ResetBehaviour::bus, ResetBehaviour::none}) {
    Device device = make(behaviour);
    EXPECT_FALSE(read32(device, 0x64) & 1U << 28);
    write16(device, command, 6);
    write16(device, device_control, 0x8000);
    EXPECT_EQ(read32(device, command) & 0xffff, 6U);
    EXPECT_EQ(device.resets(ResetKind::function), 0U);
  }
}

TEST(device, waking_from_d3_resets_a_card_that_loses_its_state_there) {
  Device steady = make();
  EXPECT_TRUE(read32(steady, pm_status) & 8U) << "No_Soft_Reset";
  write16(steady, command, 6);
  write16(steady, pm_status, 3);
  write16(steady, pm_status, 0);
  EXPECT_EQ(read32(steady, command) & 0xffff, 6U);
  Device device = make(ResetBehaviour::flr, Sleep::loses_state);
  write16(device, command, 6);
  write16(device, pm_status, 3);
  EXPECT_EQ(read32(device, command) & 0xffff, 6U);
  write16(device, pm_status, 0);
  EXPECT_EQ(read32(device, command) & 0xffff, 0U);
  EXPECT_EQ(device.resets(ResetKind::power), 1U);
}

TEST(device, a_bus_reset_does_nothing_to_a_card_that_has_no_reset) {
  Device resettable = make(ResetBehaviour::bus), stubborn = make(ResetBehaviour::none);
  for (Device* device : {&resettable, &stubborn}) {
    write16(*device, command, 6);
    device->reset();
  }
  EXPECT_EQ(read32(resettable, command) & 0xffff, 0U);
  EXPECT_EQ(read32(stubborn, command) & 0xffff, 6U);
  EXPECT_FALSE(stubborn.has_bus_reset());
}

TEST(device, a_failed_reset_takes_the_card_off_the_bus_until_it_is_brought_back) {
  Device device = make(ResetBehaviour::fails);
  device.reset();
  EXPECT_EQ(read32(device, 0), 0x1db410deU) << "the machine's first reset comes before first use";
  write16(device, device_control, 0x8000);
  EXPECT_EQ(read32(device, 0), 0xffffffffU);
  EXPECT_EQ(read32(device, 0, 0), 0xffffffffU);
  write32(device, bar0, 0xfe000000);
  ASSERT_TRUE(device.turn("config_read=ok").has_value());
  EXPECT_EQ(read32(device, 0), 0x1db410deU);
  EXPECT_EQ(read32(device, bar0), 0U) << "the write while it was away is lost";
}

TEST(device, the_reset_knob_beats_what_the_card_was_built_with) {
  Device device = make(ResetBehaviour::flr);
  ASSERT_TRUE(device.turn("reset=fail").has_value());
  write32(device, bar0, 0xfe000000);
  device.reset();
  EXPECT_EQ(read32(device, 0), 0xffffffffU);
  Device cured = make(ResetBehaviour::fails);
  ASSERT_TRUE(cured.turn("reset=ok").has_value());
  write16(cured, device_control, 0x8000);
  EXPECT_EQ(read32(cured, 0), 0x1db410deU);
}

TEST(device, an_unknown_knob_is_refused_with_those_that_exist) {
  Device device = make();
  auto turned = device.turn("reset=maybe");
  ASSERT_FALSE(turned.has_value());
  EXPECT_EQ(turned.error().kind, ErrorKind::invalid);
  EXPECT_NE(turned.error().sentence.find("reset=fail"), std::string::npos);
}

TEST(device, only_a_mapped_bar_has_a_memory_file_and_both_ways_see_the_same_bytes) {
  Device device = make();
  EXPECT_EQ(device.region_fd(0), -1);
  EXPECT_EQ(device.region_fd(2), -1);
  ASSERT_GE(device.region_fd(1), 0);
  EXPECT_EQ(device.region_size(1), 256U << 20);
  write32(device, (256 << 20) - 4, 0xcafef00d, 1);
  EXPECT_EQ(read32(device, (256 << 20) - 4, 1), 0xcafef00dU);
}

TEST(device, accesses_outside_of_it_read_zero_and_change_nothing) {
  Device device = make();
  for (std::uint32_t region : {0U, 1U, 2U, 6U, 7U, 8U, 99U}) {
    for (std::uint64_t offset : {std::uint64_t{1} << 32, ~std::uint64_t{0}, ~std::uint64_t{3}}) {
      write32(device, offset, 0xffffffff, region);
      EXPECT_EQ(read32(device, offset, region), 0U) << region;
    }
  }
  Bytes across(8, std::byte{0xff});
  device.write(config_region, config_size - 4, across);
  device.read(config_region, config_size - 4, across);
  EXPECT_EQ(across, Bytes(8));
}

}  // namespace
}  // namespace tessera::identity
