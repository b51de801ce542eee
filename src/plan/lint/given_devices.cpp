// SPDX-License-Identifier: Apache-2.0
#include "plan/lint/given_devices.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::plan::linting {

namespace {

/// The source's address; where <source> was forgotten, the address that stands in its place.
const XmlElement* source_address(const XmlElement& hostdev) {
  const XmlElement* source = hostdev.child("source");
  return source ? source->child("address") : hostdev.child("address");
}

void add_qemu_devices(const QemuCommand& command, int machine, std::vector<GivenDevice>& devices) {
  for (const QemuOption* option : command.devices("vfio-pci*")) {
    auto host = option->property("host");
    const auto sysfs = option->property("sysfsdev");
    std::string seen = host ? "host=" + *host : std::string();
    if (!host && sysfs) {
      host = std::string(base_name(*sysfs));
      seen = *sysfs;
    }
    const auto address = host ? model::parse_pci_address(*host) : Result<model::PciAddress>{};
    if (!host || !address) continue;
    GivenDevice device;
    device.line = option->line;
    device.seen = std::move(seen);
    device.address = *address;
    device.machine = machine;
    device.x_vga = option->is_on("x-vga");
    devices.push_back(std::move(device));
  }
}

void add_libvirt_devices(const XmlPiece& piece, int machine, std::vector<GivenDevice>& devices) {
  walk_xml(piece.root, [&](const XmlElement& element, const auto&) {
    if (element.name != "hostdev" || element.attribute("type") != "pci") return;
    const XmlElement* at = source_address(element);
    const auto address = at ? libvirt_address(*at) : std::nullopt;
    if (!address) return;
    GivenDevice device;
    device.line = at->line;
    device.seen = fmt::format("bus='{}' slot='{}' function='{}'", *at->attribute("bus"),
                              *at->attribute("slot"), at->attribute("function").value_or("0"));
    device.address = *address;
    device.machine = machine;
    device.libvirt = true;
    device.managed = element.attribute("managed") == "yes";
    devices.push_back(std::move(device));
  });
}

}  // namespace

std::optional<model::PciAddress> libvirt_address(const XmlElement& element) {
  const auto number = [&](std::string_view key, std::string_view otherwise,
                          std::uint64_t most) -> std::optional<std::uint64_t> {
    const std::string written = element.attribute(key).value_or(std::string(otherwise));
    const bool hex = written.starts_with("0x") || written.starts_with("0X");
    const auto value = text::to_number(written, hex ? 16 : 10);
    return value && *value <= most ? value : std::nullopt;
  };
  const auto domain = number("domain", "0", 0xffffffff);
  const auto bus = number("bus", "", 0xff);
  const auto slot = number("slot", "", 31);
  const auto function = number("function", "0", 7);
  if (!domain || !bus || !slot || !function) return std::nullopt;
  return model::PciAddress{static_cast<std::uint32_t>(*domain), static_cast<std::uint8_t>(*bus),
                           static_cast<std::uint8_t>(*slot), static_cast<std::uint8_t>(*function)};
}

std::vector<GivenDevice> given_devices(const Pieces& pieces) {
  std::vector<GivenDevice> devices;
  int machine = 0;
  for (const QemuCommand& command : pieces.qemu) add_qemu_devices(command, machine++, devices);
  for (const XmlPiece& piece : pieces.xml) add_libvirt_devices(piece, machine++, devices);
  return devices;
}

std::vector<GivenSlice> given_slices(const Pieces& pieces) {
  std::vector<GivenSlice> slices;
  for (const QemuCommand& command : pieces.qemu) {
    for (const QemuOption* option : command.devices("vfio-pci*")) {
      const auto uuid = parse_uuid(base_name(option->property("sysfsdev").value_or("")));
      if (uuid) slices.push_back({option->line, *uuid});
    }
  }
  for (const XmlPiece& piece : pieces.xml) {
    walk_xml(piece.root, [&](const XmlElement& element, const auto&) {
      if (element.name != "hostdev" || element.attribute("type") != "mdev") return;
      const XmlElement* at = source_address(element);
      const auto uuid = at ? parse_uuid(at->attribute("uuid").value_or("")) : std::nullopt;
      if (uuid) slices.push_back({at->line, *uuid});
    });
  }
  return slices;
}

std::optional<std::string> parse_uuid(std::string_view text) {
  constexpr std::size_t length = 36;
  if (text.size() != length) return std::nullopt;
  for (std::size_t i = 0; i < length; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const auto byte = static_cast<unsigned char>(text[i]);
    if (dash ? byte != '-' : std::isxdigit(byte) == 0) return std::nullopt;
  }
  return lower(text);
}

}  // namespace tessera::plan::linting
