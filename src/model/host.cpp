// SPDX-License-Identifier: Apache-2.0
#include "model/host.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::model {

namespace {

std::string ids_of(const PciFunction& function) {
  if (!function.vendor.has_value()) return {};
  if (!function.device.has_value()) return fmt::format("{:04x}:?", function.vendor.value());
  return fmt::format("{:04x}:{:04x}", function.vendor.value(), function.device.value());
}

std::string with_article(const std::string& noun) {
  for (std::string_view spelled : {"NVMe", "SMBus", "XGA", "SMB"}) {
    if (noun.starts_with(spelled)) return "an " + noun;
  }
  bool vowel = std::string_view("aeiouAEIO").find(noun.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + noun;
}

std::string what_it_is(const PciFunction& function) {
  std::string words = function.class_code.has_value()
                          ? with_article(class_words(function.class_code.value()))
                          : "a device of unknown class";
  if (auto ids = ids_of(function); !ids.empty()) words += fmt::format(" ({})", ids);
  return words;
}

std::string cards_hint(const HostSnapshot& host) {
  if (host.cards.empty()) return "this host has no cards at all; see `tessera list`";
  std::vector<std::string> cards;
  for (const Card& card : host.cards) {
    cards.push_back(fmt::format("{} ({})", to_string(card.address), card.name));
  }
  return fmt::format("the cards here: {}", text::join(cards, ", "));
}

std::unexpected<Error> no_card(const HostSnapshot& host, const PciFunction& function) {
  std::string address = to_string(function.address);
  if (function.physical_function) {
    return fail(
        ErrorKind::conflict, address,
        fmt::format("it is an SR-IOV virtual function of {}, a slice and not a card",
                    to_string(*function.physical_function)),
        fmt::format("name the card it belongs to: {}", to_string(*function.physical_function)));
  }
  return fail(ErrorKind::conflict, address,
              fmt::format("it is {}, not a GPU", what_it_is(function)), cards_hint(host));
}

/// "01:00" and "0000:01:00": a slot, as people read it off a board or from another tool.
const Card* card_in_slot(const HostSnapshot& host, std::string_view selector) {
  auto first = parse_pci_address(std::string(selector) + ".0");
  if (!first) return nullptr;
  std::string slot = slot_name(*first);
  auto in_slot = [&](const PciAddress& address) { return slot_name(address) == slot; };
  for (const Card& card : host.cards) {
    if (in_slot(card.address)) return &card;
  }
  for (const Card& card : host.cards) {
    if (std::ranges::any_of(card.functions, in_slot)) return &card;
  }
  return nullptr;
}

std::unexpected<Error> nothing_there(std::string_view selector) {
  return fail(ErrorKind::not_found, text::printable(selector), "this host has no such PCI device",
              "see the cards with `tessera list`");
}

}  // namespace

bool Card::has(const PciAddress& wanted) const {
  return std::ranges::find(functions, wanted) != functions.end();
}

const Slice* HostSnapshot::slice(const std::string& identity) const {
  for (const auto& cut : slice_sources) {
    const auto found = std::ranges::find(cut.slices, identity, &Slice::identity);
    if (found != cut.slices.end()) return &*found;
  }
  return nullptr;
}

std::string HostSnapshot::owner_of(const std::string& slice) const {
  const auto found = slice_owners.find(slice);
  return found == slice_owners.end() ? std::string{} : found->second;
}

const RunningMachine* HostSnapshot::machine(int pid) const {
  const auto found = std::ranges::find(machines, pid, &RunningMachine::pid);
  return found == machines.end() ? nullptr : &*found;
}

const PciFunction* HostSnapshot::function(const PciAddress& address) const {
  auto found = std::ranges::find(functions, address, &PciFunction::address);
  return found == functions.end() ? nullptr : &*found;
}

const IommuGroup* HostSnapshot::group(int number) const {
  auto found = std::ranges::find(groups, number, &IommuGroup::number);
  return found == groups.end() ? nullptr : &*found;
}

const Card* HostSnapshot::card_of(const PciAddress& address) const {
  auto found = std::ranges::find_if(
      cards, [&](const Card& card) { return card.address == address || card.has(address); });
  return found == cards.end() ? nullptr : &*found;
}

std::vector<const PciFunction*> functions_of(const HostSnapshot& host, const Card& card) {
  std::vector<const PciFunction*> found;
  for (const auto& address : card.functions) {
    if (const auto* function = host.function(address)) found.push_back(function);
  }
  return found;
}

Result<const Card*> select_card(const HostSnapshot& host, std::string_view selector) {
  selector = text::trim(selector);
  auto by_identity = std::ranges::find(host.cards, selector, &Card::identity);
  if (by_identity != host.cards.end() && !selector.empty()) return &*by_identity;
  if (selector.find('@') != std::string_view::npos) {
    return fail(ErrorKind::not_found, text::printable(selector),
                "no card of this host has this identity", "see the cards with `tessera list`");
  }
  if (selector.find('.') == std::string_view::npos) {
    if (const Card* card = card_in_slot(host, selector)) return card;
    if (parse_pci_address(std::string(selector) + ".0")) return nothing_there(selector);
  }
  auto address = parse_pci_address(selector);
  if (!address) {
    Error error = std::move(address.error());
    error.hint = "name a card by its address, e.g. 01:00.0, or by its identity; see `tessera list`";
    return fail(std::move(error));
  }
  if (const Card* card = host.card_of(*address)) return card;
  if (const PciFunction* function = host.function(*address)) return no_card(host, *function);
  return nothing_there(selector);
}

std::string function_name(const PciFunction& function) {
  std::string ids = ids_of(function);
  if (ids.empty()) {
    return function.class_code.has_value() ? "unknown " + class_words(function.class_code.value())
                                           : "unknown device";
  }
  if (function.vendor_name.empty()) return ids;
  if (!function.device.has_value()) {
    return fmt::format("{} (device id not known)", function.vendor_name);
  }
  return fmt::format("{} {}", function.vendor_name,
                     function.device_name.empty() ? ids : function.device_name);
}

std::vector<const PciFunction*> functions_with(const HostSnapshot& host, const DeviceId& id) {
  std::vector<const PciFunction*> found;
  for (const PciFunction& function : host.functions) {
    const bool same = function.vendor == id.vendor && function.device == id.device;
    if (same && !function.physical_function) found.push_back(&function);
  }
  return found;
}

}  // namespace tessera::model
