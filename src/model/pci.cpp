// SPDX-License-Identifier: Apache-2.0
#include "model/pci.h"

#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::model {

namespace {

constexpr std::pair<std::uint16_t, std::string_view> known_classes[] = {
    {0x0001, "VGA-compatible device"},
    {0x0100, "SCSI controller"},
    {0x0101, "IDE controller"},
    {0x0104, "RAID controller"},
    {0x0106, "SATA controller"},
    {0x0107, "SAS controller"},
    {0x0108, "NVMe controller"},
    {0x0180, "storage controller"},
    {0x0200, "Ethernet controller"},
    {0x0207, "InfiniBand controller"},
    {0x0280, "network controller"},
    {0x0300, "VGA controller"},
    {0x0301, "XGA controller"},
    {0x0302, "3D controller"},
    {0x0380, "display controller"},
    {0x0401, "multimedia audio controller"},
    {0x0403, "audio device"},
    {0x0480, "multimedia controller"},
    {0x0500, "RAM controller"},
    {0x0580, "memory controller"},
    {0x0600, "host bridge"},
    {0x0601, "ISA bridge"},
    {0x0604, "PCI bridge"},
    {0x0680, "bridge"},
    {0x0700, "serial controller"},
    {0x0780, "communication controller"},
    {0x0800, "interrupt controller"},
    {0x0806, "IOMMU"},
    {0x0880, "system peripheral"},
    {0x0b40, "co-processor"},
    {0x0c00, "FireWire controller"},
    {0x0c03, "USB controller"},
    {0x0c05, "SMBus"},
    {0x0c80, "serial bus controller"},
    {0x1080, "encryption controller"},
    {0x1101, "performance counter"},
    {0x1180, "signal processing controller"},
    {0x1200, "processing accelerator"},
    {0x1300, "non-essential instrumentation"},
};

struct Field {
  std::string_view name;
  std::size_t most_digits;
  std::uint64_t largest;
};

Result<std::uint32_t> parse_field(std::string_view address, std::string_view digits,
                                  const Field& field) {
  // to_number would take a "0x", which no PCI address has.
  auto value = digits.find_first_of("xX") == std::string_view::npos ? text::to_number(digits, 16)
                                                                    : std::nullopt;
  if (!value || digits.size() > field.most_digits || *value > field.largest) {
    return fail(ErrorKind::invalid, text::printable(address),
                fmt::format("'{}' is no PCI {}: expected hexadecimal 0 to {:x}",
                            text::printable(digits), field.name, field.largest),
                "write the address as DOMAIN:BUS:DEVICE.FUNCTION, e.g. 0000:01:00.0 or 01:00.0");
  }
  return static_cast<std::uint32_t>(*value);
}

std::unexpected<Error> wrong_shape(std::string_view address) {
  return fail(ErrorKind::invalid, text::printable(address), "this is no PCI address",
              "write the address as DOMAIN:BUS:DEVICE.FUNCTION, e.g. 0000:01:00.0 or 01:00.0");
}

/// 16 bits of bus, device and function, as PCI Express routes by them.
std::int64_t routing_id(const PciAddress& address) {
  return address.bus << 8 | address.device << 3 | address.function;
}

}  // namespace

Result<PciAddress> parse_pci_address(std::string_view text) {
  auto parts = text::split(text, ':');
  if (parts.size() != 2 && parts.size() != 3) return wrong_shape(text);
  auto slot = text::split(parts.back(), '.');
  if (slot.size() != 2) return wrong_shape(text);
  PciAddress address;
  if (parts.size() == 3) {
    TRY_LET(address.domain, parse_field(text, parts[0], {"domain", 8, 0xffffffff}));
  }
  TRY_LET(auto bus, parse_field(text, parts[parts.size() - 2], {"bus", 2, 0xff}));
  TRY_LET(auto device, parse_field(text, slot[0], {"device", 2, 0x1f}));
  TRY_LET(auto function, parse_field(text, slot[1], {"function", 1, 7}));
  address.bus = static_cast<std::uint8_t>(bus);
  address.device = static_cast<std::uint8_t>(device);
  address.function = static_cast<std::uint8_t>(function);
  return address;
}

std::string to_string(const PciAddress& address) {
  return fmt::format("{}.{:x}", slot_name(address), address.function);
}

std::int64_t functions_between(const PciAddress& first, const PciAddress& last) {
  return routing_id(last) - routing_id(first);
}

std::optional<PciAddress> function_after(const PciAddress& first, std::int64_t distance) {
  constexpr std::int64_t last = 0xffff;
  if (distance < 0 || distance > last - routing_id(first)) return std::nullopt;
  const std::int64_t id = routing_id(first) + distance;
  return PciAddress{.domain = first.domain,
                    .bus = static_cast<std::uint8_t>(id >> 8),
                    .device = static_cast<std::uint8_t>(id >> 3 & 0x1f),
                    .function = static_cast<std::uint8_t>(id & 7)};
}

std::string slot_name(const PciAddress& address) {
  return fmt::format("{:04x}:{:02x}:{:02x}", address.domain, address.bus, address.device);
}

std::vector<PciAddress> addresses_in_path(std::string_view sysfs_path) {
  std::vector<PciAddress> chain;
  for (auto piece : text::split(sysfs_path, '/')) {
    auto address = parse_pci_address(piece);
    if (address && to_string(*address) == piece) chain.push_back(*address);
  }
  return chain;
}

std::string root_complex_in_path(std::string_view sysfs_path) {
  constexpr std::string_view prefix = "pci";
  for (auto piece : text::split(sysfs_path, '/')) {
    if (!piece.starts_with(prefix)) continue;
    auto numbers = text::split(piece.substr(prefix.size()), ':');
    const bool is_root =
        numbers.size() == 2 && text::to_number(numbers[0], 16) && text::to_number(numbers[1], 16);
    if (is_root) return std::string(piece);
  }
  return {};
}

bool is_gpu_class(std::uint32_t class_code) {
  return base_class(class_code) == 0x03 || sub_class(class_code) == 0x1200 ||
         sub_class(class_code) == 0x0b40;
}

bool is_network_class(std::uint32_t class_code) {
  return base_class(class_code) == 0x02 || sub_class(class_code) == 0x0c06;
}

bool is_bridge_class(std::uint32_t class_code) {
  return base_class(class_code) == 0x06;
}

std::string class_words(std::uint32_t class_code) {
  for (const auto& [code, words] : known_classes) {
    if (code == sub_class(class_code)) return std::string(words);
  }
  return fmt::format("class 0x{:06x}", class_code);
}

std::optional<DeviceId> parse_device_id(std::string_view text) {
  const auto parts = text::split(text, ':');
  if (parts.size() < 2 || parts[0].size() > 4 || parts[1].size() > 4) return std::nullopt;
  const auto vendor = text::to_number(parts[0], 16);
  const auto device = text::to_number(parts[1], 16);
  if (!vendor || !device || *vendor > 0xffff || *device > 0xffff) return std::nullopt;
  return DeviceId{static_cast<std::uint16_t>(*vendor), static_cast<std::uint16_t>(*device)};
}

std::string to_string(const DeviceId& id) {
  return fmt::format("{:04x}:{:04x}", id.vendor, id.device);
}

}  // namespace tessera::model
