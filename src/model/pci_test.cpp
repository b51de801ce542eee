// SPDX-License-Identifier: Apache-2.0
#include "model/pci.h"

#include <gtest/gtest.h>

namespace tessera::model {
namespace {

TEST(PciAddress, is_read_in_every_spelling_that_tools_print) {
  PciAddress expected{0, 0x01, 0x1f, 7};
  for (const char* text : {"0000:01:1f.7", "01:1f.7", "00000000:01:1F.7", "0:1:1f.7"}) {
    auto address = parse_pci_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(*address, expected) << text;
  }
  auto wide = parse_pci_address("00010000:C8:00.0");
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->domain, 0x10000U);
  EXPECT_EQ(to_string(*wide), "10000:c8:00.0");
}

TEST(PciAddress, says_which_part_is_wrong) {
  struct Case {
    const char* text;
    const char* part;
  };
  for (const Case& c : {Case{"0000:01:20.0", "device"}, Case{"0000:01:00.8", "function"},
                        Case{"0000:100:00.0", "bus"}, Case{"123456789:01:00.0", "domain"},
                        Case{"0x0:01:00.0", "domain"}, Case{"01:zz.0", "device"},
                        Case{"01:00.", "function"}, Case{":00.0", "bus"}}) {
    auto address = parse_pci_address(c.text);
    ASSERT_FALSE(address) << c.text;
    EXPECT_EQ(address.error().kind, ErrorKind::invalid);
    EXPECT_NE(address.error().sentence.find(c.part), std::string::npos)
        << c.text << ": " << address.error().sentence;
  }
}

TEST(PciAddress, refuses_texts_of_another_shape) {
  for (const char* text : {"", "nonsense", "01", "01:00", "0000:01:00", "1.2.3:4.5", "a:b:c:d.e",
                           "consumer:pci:0000:61:00.1", "0000:01:00.0 ", "0000:01:00.0\n"}) {
    EXPECT_FALSE(parse_pci_address(text)) << text;
  }
}

TEST(PciAddress, sorts_by_domain_then_bus_then_device_then_function) {
  auto at = [](const char* text) { return *parse_pci_address(text); };
  EXPECT_LT(at("0000:ff:1f.7"), at("0001:00:00.0"));
  EXPECT_LT(at("0000:09:1f.7"), at("0000:0a:00.0"));
  EXPECT_LT(at("0000:09:00.7"), at("0000:09:01.0"));
}

TEST(PciAddress, is_counted_on_over_devices_and_buses) {
  const auto first = *parse_pci_address("0001:18:00.4");
  const auto after = [&](std::int64_t distance) {
    const auto address = function_after(first, distance);
    return address ? to_string(*address) : std::string("none");
  };
  EXPECT_EQ(after(0), "0001:18:00.4");
  EXPECT_EQ(after(3), "0001:18:00.7");
  EXPECT_EQ(after(4), "0001:18:01.0");
  EXPECT_EQ(after(252), "0001:19:00.0");
  EXPECT_EQ(after(0xffff - 0x1804), "0001:ff:1f.7");
  EXPECT_EQ(after(0x10000 - 0x1804), "none");
  EXPECT_EQ(after(-1), "none");
  EXPECT_EQ(functions_between(first, *parse_pci_address("0001:19:00.0")), 252);
  EXPECT_EQ(functions_between(first, *parse_pci_address("0001:18:00.0")), -4);
}

TEST(PciClass, knows_what_makes_a_board_a_card) {
  for (std::uint32_t code : {0x030000U, 0x030200U, 0x038000U, 0x120000U, 0x0b4000U}) {
    EXPECT_TRUE(is_gpu_class(code)) << std::hex << code;
  }
  for (std::uint32_t code : {0x000000U, 0x040300U, 0x060400U, 0x068000U, 0x0c0330U, 0x120100U}) {
    EXPECT_FALSE(is_gpu_class(code)) << std::hex << code;
  }
}

TEST(PciClass, has_words_for_people_and_the_number_for_the_rest) {
  EXPECT_EQ(class_words(0x030200), "3D controller");
  EXPECT_EQ(class_words(0x010601), "SATA controller");
  EXPECT_EQ(class_words(0x0c0330), "USB controller");
  EXPECT_EQ(class_words(0xff0000), "class 0xff0000");
}

TEST(SysfsPath, names_its_root_complex_and_the_devices_on_the_way) {
  constexpr std::string_view path = "/sys/devices/pci0000:80/0000:80:03.0/0000:84:00.0";
  EXPECT_EQ(root_complex_in_path(path), "pci0000:80");
  EXPECT_EQ(addresses_in_path(path).size(), 2U);
  EXPECT_EQ(root_complex_in_path("/sys/devices/platform/soc/pci000f:00/000f:00:00.0"),
            "pci000f:00");
  // A VMD's disks are below a domain of their own, and still below the processor's bridge.
  EXPECT_EQ(root_complex_in_path("/sys/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0"),
            "pci0000:00");
  for (auto other : {"", "/sys/devices/pcie", "/sys/devices/pci0000", "/sys/devices/pci:00"}) {
    EXPECT_EQ(root_complex_in_path(other), "") << other;
  }
}

TEST(PciClass, tells_network_controllers) {
  for (auto code : {0x020000U, 0x020700U, 0x028000U, 0x0c0600U})
    EXPECT_TRUE(is_network_class(code));
  for (auto code : {0x030000U, 0x0c0330U, 0x120000U}) EXPECT_FALSE(is_network_class(code));
}

TEST(DeviceId, is_vendor_and_device_and_passes_over_the_rest) {
  EXPECT_EQ(parse_device_id("10de:1B02"), (DeviceId{0x10de, 0x1b02}));
  EXPECT_EQ(parse_device_id("10de:1b02:1462:3602"), (DeviceId{0x10de, 0x1b02}));
  EXPECT_EQ(to_string(DeviceId{0x10de, 0x2}), "10de:0002");
  for (const char* wrong : {"", "10de", "10de,1b02", "10de:", "010de:1b02", "10de:x"}) {
    EXPECT_FALSE(parse_device_id(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace tessera::model
