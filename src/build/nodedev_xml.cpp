// SPDX-License-Identifier: Apache-2.0
#include "build/nodedev_xml.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include <pugixml.hpp>

#include "base/text.h"
#include "base/utf8.h"
#include "model/pci.h"

namespace tessera::build {

namespace {

using model::MdevDefinition;

constexpr std::string_view mdev_prefix = "mdev_";
constexpr std::string_view pci_prefix = "pci_";
constexpr std::size_t uuid_length = 36;

/// libvirt's node names keep letters and digits.
std::string as_node_name(std::string_view name) {
  const auto keeps = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  std::string out(name);
  std::ranges::replace_if(
      out, [&](char c) { return !keeps(c); }, '_');
  return out;
}

// --- reading

/// The text and its name, so that an error can say where.
struct Document {
  std::string_view text;
  std::string_view file;

  [[nodiscard]] std::unexpected<Error> wrong(std::ptrdiff_t offset, std::string sentence) const {
    const auto end = offset < 0 ? 0 : std::min(static_cast<std::size_t>(offset), text.size());
    const auto before = text.substr(0, end);
    const auto line_start = before.rfind('\n');
    return fail(ErrorKind::invalid,
                fmt::format("{}:{}:{}", file, 1 + std::ranges::count(before, '\n'),
                            before.size() -
                                (line_start == std::string_view::npos ? 0 : line_start + 1) + 1),
                std::move(sentence));
  }
  [[nodiscard]] std::unexpected<Error> wrong(const pugi::xml_node& node,
                                             std::string sentence) const {
    return wrong(node.offset_debug() - 1, std::move(sentence));  // its '<' is before its name
  }
};

std::string_view text_of(const pugi::xml_node& node) {
  return text::trim(node.text().get());
}

/// The one child of that name; nothing where there is none.
Result<pugi::xml_node> only_child(const Document& document, const pugi::xml_node& above,
                                  const char* name) {
  auto node = above.child(name);
  if (const auto second = node.next_sibling(name)) {
    return document.wrong(second, fmt::format("<{}> is there twice", name));
  }
  return node;
}

Result<pugi::xml_node> mdev_capability(const Document& document, const pugi::xml_node& device) {
  pugi::xml_node found;
  for (const auto& capability : device.children("capability")) {
    if (std::string_view(capability.attribute("type").value()) != "mdev") continue;
    if (found) return document.wrong(capability, "there is a second capability of type mdev");
    found = capability;
  }
  if (found) return found;
  return document.wrong(device, "this is no mediated device: it has no <capability type='mdev'>");
}

/// "pci_0000_3b_00_4" to "0000:3b:00.4"; nothing for other nodes.
std::optional<std::string> pci_address_of_node(std::string_view name) {
  if (!name.starts_with(pci_prefix)) return std::nullopt;
  const auto parts = text::split(name.substr(pci_prefix.size()), '_');
  if (parts.size() != 4) return std::nullopt;
  auto address =
      model::parse_pci_address(fmt::format("{}:{}:{}.{}", parts[0], parts[1], parts[2], parts[3]));
  if (!address) return std::nullopt;
  return to_string(*address);
}

Result<std::string> parent_of(const Document& document, const pugi::xml_node& device,
                              const pugi::xml_node& capability) {
  TRY_LET(const auto address, only_child(document, capability, "parent_addr"));
  if (address) return std::string(text_of(address));
  TRY_LET(const auto parent, only_child(document, device, "parent"));
  if (!parent) return document.wrong(device, "the element <parent> is missing");
  const auto name = text_of(parent);
  if (auto pci = pci_address_of_node(name)) return std::move(*pci);
  return document.wrong(parent, fmt::format("the parent '{}' is no PCI device (pci_0000_3b_00_4), "
                                            "and there is no <parent_addr>",
                                            text::printable(name)));
}

/// The UUID in a node's name, "mdev_83c32df7_d52e_...", with or without the parent behind it.
std::optional<Uuid> uuid_of_node(std::string_view name) {
  if (!name.starts_with(mdev_prefix)) return std::nullopt;
  std::string digits(name.substr(mdev_prefix.size(), uuid_length));
  std::ranges::replace(digits, '_', '-');
  auto uuid = parse_uuid(digits);
  return uuid ? std::optional(*uuid) : std::nullopt;
}

Result<Uuid> uuid_of(const Document& document, const pugi::xml_node& device,
                     const pugi::xml_node& capability, const Uuid& if_none) {
  TRY_LET(const auto element, only_child(document, capability, "uuid"));
  if (!element) return uuid_of_node(text_of(device.child("name"))).value_or(if_none);
  auto uuid = parse_uuid(text_of(element));
  if (!uuid) return document.wrong(element, one_line(uuid.error()));
  return uuid;
}

Result<std::string> type_of(const Document& document, const pugi::xml_node& capability) {
  TRY_LET(const auto type, only_child(document, capability, "type"));
  if (!type) return document.wrong(capability, "the element <type id='...'/> is missing");
  return std::string(type.attribute("id").value());
}

Result<std::vector<model::MdevAttribute>> attributes_of(const Document& document,
                                                        const pugi::xml_node& capability) {
  std::vector<model::MdevAttribute> all;
  for (const auto& attr : capability.children("attr")) {
    if (!attr.attribute("name") || !attr.attribute("value")) {
      return document.wrong(attr, "<attr> needs a name and a value");
    }
    all.push_back({attr.attribute("name").value(), attr.attribute("value").value()});
  }
  return all;
}

// --- writing

/// Whether XML 1.0 has a way to write it (section 2.2): no control character but these three.
bool fits_xml(std::string_view value) {
  return text::is_utf8(value) && std::ranges::all_of(value, [](char c) {
           return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r';
         });
}

void add_text(pugi::xml_node& above, const char* name, const std::string& text) {
  above.append_child(name).text().set(text.c_str());
}

}  // namespace

std::string node_device_name(const MdevDefinition& definition) {
  return fmt::format("{}{}_{}", mdev_prefix, as_node_name(to_string(definition.uuid)),
                     as_node_name(definition.parent));
}

Result<std::string> node_device_xml(const MdevDefinition& definition) {
  TRY(check(definition));
  const auto address = model::parse_pci_address(definition.parent);
  if (!address) {
    return fail(ErrorKind::unsupported, to_string(definition.uuid),
                fmt::format("libvirt cannot define it: its parent {} is no PCI device",
                            text::printable(definition.parent)),
                "mdevctl can");
  }
  pugi::xml_document document;
  auto device = document.append_child("device");
  add_text(device, "name", node_device_name(definition));
  add_text(device, "parent", fmt::format("{}{}", pci_prefix, as_node_name(to_string(*address))));
  auto capability = device.append_child("capability");
  capability.append_attribute("type") = "mdev";
  capability.append_child("type").append_attribute("id") = definition.mdev_type.c_str();
  add_text(capability, "uuid", to_string(definition.uuid));
  bool fits = fits_xml(definition.mdev_type);
  for (const auto& attribute : definition.attrs) {
    fits = fits && fits_xml(attribute.name) && fits_xml(attribute.value);
    auto attr = capability.append_child("attr");
    attr.append_attribute("name") = attribute.name.c_str();
    attr.append_attribute("value") = attribute.value.c_str();
  }
  if (!fits) {
    return fail(ErrorKind::unsupported, to_string(definition.uuid),
                "XML cannot hold the control characters that its type or an attribute has");
  }
  std::ostringstream out;
  document.save(out, "  ", pugi::format_indent | pugi::format_no_declaration, pugi::encoding_utf8);
  return out.str();
}

Result<MdevDefinition> parse_node_device_xml(std::string_view text, std::string_view file,
                                             const Uuid& if_none) {
  const Document document{text, file};
  pugi::xml_document xml;
  const auto parsed =
      xml.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) {
    return document.wrong(parsed.offset, fmt::format("it is no XML: {}", parsed.description()));
  }
  const auto device = xml.document_element();
  if (std::string_view(device.name()) != "device") {
    return document.wrong(device, fmt::format("the outermost element must be <device>, not <{}>",
                                              text::printable(device.name())));
  }
  TRY_LET(const auto capability, mdev_capability(document, device));
  MdevDefinition definition;
  TRY_LET(definition.uuid, uuid_of(document, device, capability, if_none));
  TRY_LET(definition.parent, parent_of(document, device, capability));
  TRY_LET(definition.mdev_type, type_of(document, capability));
  TRY_LET(definition.attrs, attributes_of(document, capability));
  auto checked = check(definition);
  if (!checked) return document.wrong(capability, checked.error().sentence);
  return definition;
}

}  // namespace tessera::build
