// SPDX-License-Identifier: Apache-2.0
#include "app/printers/list.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/printers/table.h"
#include "base/text.h"
#include "model/drivers.h"
#include "model/json.h"

namespace tessera::app {

using model::Card;
using model::HostSnapshot;
using model::PciFunction;

namespace {

/// "00.1": enough to tell the functions of a card apart; the whole address on another bus.
std::string short_address(const model::PciAddress& address, const Card& card) {
  bool same_bus = address.domain == card.address.domain && address.bus == card.address.bus;
  return same_bus ? fmt::format("{:02x}.{:x}", address.device, address.function)
                  : to_string(address);
}

struct Drivers {
  std::vector<std::string> host;
  std::vector<std::string> vm;
  std::vector<std::string> named;  ///< "00.0 vfio-pci", for each function with a driver
  bool unknown = false;
};

Drivers drivers_of(const HostSnapshot& host, const Card& card) {
  Drivers drivers;
  for (const auto& address : card.functions) {
    const PciFunction* function = host.function(address);
    if (function == nullptr) continue;
    if (function->driver.empty()) {
      drivers.unknown = drivers.unknown || !driver_is_known(host, *function);
      continue;
    }
    auto& side = model::is_vfio_driver(function->driver) ? drivers.vm : drivers.host;
    side.push_back(function->driver);
    drivers.named.push_back(fmt::format("{} {}", short_address(address, card), function->driver));
  }
  return drivers;
}

std::string reading_text(const model::Reading<int>& reading) {
  if (reading.is_unreadable()) return "?";
  if (!reading.has_value() || reading.value() < 0) return "-";
  return std::to_string(reading.value());
}

std::string driver_text(const HostSnapshot& host, const PciFunction& function) {
  if (!function.driver.empty()) return function.driver;
  return driver_is_known(host, function) ? "none" : "-";
}

void add_card(const HostSnapshot& host, const Card& card,
              std::vector<std::vector<std::string>>& rows) {
  for (bool first : {true, false}) {
    for (const auto& address : card.functions) {
      const PciFunction* function = host.function(address);
      if (function == nullptr || (address == card.address) != first) continue;
      std::string what = function->class_code.has_value()
                             ? model::class_words(function->class_code.value())
                             : "unknown device";
      rows.push_back({(first ? "" : "  ") + to_string(address),
                      first ? short_name(*function) : what, driver_text(host, *function),
                      reading_text(function->iommu_group),
                      first ? reading_text(function->numa_node) : "",
                      first ? card_state(host, card).words : ""});
    }
  }
}

std::string no_cards(const HostSnapshot& host) {
  if (host.functions.empty()) {
    return fmt::format("No cards: {} shows no PCI devices.\n", host.source);
  }
  auto without_class = std::ranges::count_if(
      host.functions, [](const PciFunction& function) { return !function.class_code.has_value(); });
  bool single = host.functions.size() == 1;
  std::string text = single ? fmt::format("No cards: the only PCI function of {} is", host.source)
                            : fmt::format("No cards: none of the {} PCI functions of {} is",
                                          host.functions.size(), host.source);
  if (single && without_class == 1) return text + " of an unknown class; it may be a GPU.\n";
  text += single ? " neither a display controller nor an accelerator.\n"
                 : " a display controller or an accelerator.\n";
  if (without_class > 0) {
    text += fmt::format("The class of {} of them is not known, so one may still be a GPU.\n",
                        without_class);
  }
  return text;
}

}  // namespace

std::string_view to_string(CardState::Owner owner) {
  switch (owner) {
    case CardState::Owner::host:
      return "host";
    case CardState::Owner::vm:
      return "vm";
    case CardState::Owner::unbound:
      return "unbound";
    case CardState::Owner::split:
      return "split";
    case CardState::Owner::unknown:
      return "unknown";
  }
  return "unknown";
}

bool driver_is_known(const HostSnapshot& host, const PciFunction& function) {
  return host.complete || !function.driver.empty() || !function.driver_override.is_absent();
}

CardState card_state(const HostSnapshot& host, const Card& card) {
  Drivers drivers = drivers_of(host, card);
  const PciFunction* main = host.function(card.address);
  std::string own = main != nullptr ? main->driver : std::string{};
  if (!drivers.vm.empty() && !drivers.host.empty()) {
    return {CardState::Owner::split, "split: " + text::join(drivers.named, ", ")};
  }
  // A group stays viable with a function that has no driver, but not the display itself: it is not
  // ready for a machine that wants a picture.
  if (!drivers.vm.empty() && own.empty()) {
    return {CardState::Owner::split,
            fmt::format("split: {}, display unbound", text::join(drivers.named, ", "))};
  }
  if (!drivers.vm.empty()) return {CardState::Owner::vm, fmt::format("vm-ready ({})", own)};
  if (!own.empty()) return {CardState::Owner::host, fmt::format("host ({})", own)};
  if (drivers.unknown) return {CardState::Owner::unknown, "not known"};
  if (drivers.host.empty()) return {CardState::Owner::unbound, "unbound"};
  return {CardState::Owner::host,
          fmt::format("host, display unbound ({})", text::join(drivers.named, ", "))};
}

std::string short_name(const PciFunction& function) {
  std::string vendor = function.vendor_name;
  auto open = vendor.rfind('[');
  if (open != std::string::npos && vendor.ends_with(']')) {
    vendor = vendor.substr(open + 1, vendor.size() - open - 2);
  }
  for (std::string_view legal : {" Corporation", ", Inc.", " Inc.", " Ltd.", ", Ltd.", " Corp."}) {
    if (vendor.ends_with(legal)) vendor.erase(vendor.size() - legal.size());
  }
  PciFunction renamed = function;
  renamed.vendor_name = vendor;
  return function_name(renamed);
}

std::string list_text(const HostSnapshot& host, const ReportStyle& style) {
  if (host.cards.empty()) return no_cards(host);
  std::vector<std::vector<std::string>> rows = {
      {"ADDRESS", "CARD", "DRIVER", "GROUP", "NUMA", "STATE"}};
  for (const auto& card : host.cards) add_card(host, card, rows);
  return table_text(rows, style);
}

nlohmann::ordered_json list_json(const HostSnapshot& host) {
  nlohmann::ordered_json json = {
      {"schema", cards_schema}, {"source", host.source}, {"live", host.live}};
  json["cards"] = nlohmann::ordered_json::array();
  for (const auto& card : host.cards) {
    auto item = model::to_json(card, host);
    CardState state = card_state(host, card);
    item["state"] = to_string(state.owner);
    item["state_words"] = state.words;
    json["cards"].push_back(std::move(item));
  }
  return json;
}

}  // namespace tessera::app
