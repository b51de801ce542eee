// SPDX-License-Identifier: Apache-2.0
#include "app/printers/show.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "app/printers/hardware_words.h"
#include "app/printers/list.h"
#include "app/printers/table.h"
#include "base/text.h"
#include "model/pci.h"

namespace tessera::app {

using model::Card;
using model::HostSnapshot;
using model::PciAddress;
using model::PciFunction;

namespace {

std::string class_of(const PciFunction& function) {
  return function.class_code.has_value() ? model::class_words(function.class_code.value())
                                         : "device of unknown class";
}

/// "not known" and "not readable" are different answers; `show` makes a value's text.
template <typename T, typename Show>
std::string reading(const model::Reading<T>& value, Show show) {
  if (value.has_value()) return show(value.value());
  return value.is_unreadable() ? fmt::format("not readable ({})", value.why()) : "not known";
}

std::string numa_text(int node) {
  return node < 0 ? "the firmware does not say" : std::to_string(node);
}

std::string reset_text(const std::vector<std::string>& methods) {
  return methods.empty() ? "none (disabled)" : text::join(methods, ", ");
}

void field(std::string& out, std::string_view name, const std::string& value, int indent = 2) {
  out += fmt::format("{:{}}{:<{}}{}\n", "", indent, name, 20 - indent, value);
}

std::string driver_words(const HostSnapshot& host, const PciFunction& function) {
  if (function.driver.empty()) return driver_is_known(host, function) ? "none" : "not known";
  return function.driver;
}

std::string ids_words(const PciFunction& function) {
  std::string words =
      fmt::format("{:04x}:{:04x}", function.vendor.value(), function.device.value());
  const auto& maker = function.subsystem_vendor;
  if (maker.value_or(0) != 0 && function.subsystem_device.has_value()) {
    words += fmt::format(", board {:04x}:{:04x}", maker.value(), function.subsystem_device.value());
  }
  if (function.revision.has_value()) {
    words += fmt::format(", revision {:02x}", function.revision.value());
  }
  return words;
}

/// One line for each text, the first with the field's name.
void fields(std::string& out, std::string_view name, const std::vector<std::string>& values) {
  for (const auto& value : values) {
    field(out, &value == values.data() ? name : std::string_view{}, value, 6);
  }
}

void add_hardware(std::string& out, const PciFunction& function) {
  if (function.vendor.has_value() && function.device.has_value()) {
    field(out, "id", ids_words(function), 6);
  }
  if (auto words = link_words(function.link); !words.empty()) field(out, "link", words, 6);
  std::vector<std::string> bars;
  for (const auto& bar : function.bars.value_or({})) bars.push_back(bar_words(bar));
  fields(out, "memory", bars);
  if (function.capabilities.is_unreadable()) {
    field(out, "capabilities", fmt::format("not readable ({})", function.capabilities.why()), 6);
  }
  const auto capabilities = function.capabilities.value_or({});
  if (capabilities.silent) field(out, "configuration", "all ones: it does not answer", 6);
  std::vector<std::string> resizable;
  for (const auto& bar : capabilities.resizable_bars) resizable.push_back(resizable_words(bar));
  fields(out, "resizable", resizable);
  if (function.power_state.has_value() && function.power_state.value() != "D0") {
    field(out, "power", function.power_state.value(), 6);
  }
}

void add_function(std::string& out, const HostSnapshot& host, const PciFunction& function) {
  out += fmt::format("    {}  {}: {}\n", to_string(function.address), class_of(function),
                     function_name(function));
  add_hardware(out, function);
  field(out, "driver", driver_words(host, function), 6);
  if (auto forced = function.driver_override.value_or(""); !forced.empty()) {
    field(out, "override", fmt::format("only {} may bind", forced), 6);
  }
  if (!function.usual_driver.empty()) field(out, "usual driver", function.usual_driver, 6);
  if (!function.vfio_module.empty()) field(out, "VFIO driver", function.vfio_module, 6);
  field(out, "IOMMU group", reading(function.iommu_group, [](int g) { return std::to_string(g); }),
        6);
  field(out, "reset", reading(function.reset_methods, reset_text), 6);
  if (!function.device_files.empty()) {
    field(out, "device files", text::join(function.device_files, ", "), 6);
  }
  if (!function.mdevs.empty()) field(out, "mediated", text::join(function.mdevs, ", "), 6);
  if (function.vf_total.value_or(0) > 0) {
    field(out, "SR-IOV",
          fmt::format("{} of {} virtual functions enabled",
                      reading(function.vf_enabled, [](int n) { return std::to_string(n); }),
                      function.vf_total.value()),
          6);
  }
}

std::string role_in_group(const HostSnapshot& host, const Card& card, const PciAddress& address) {
  if (card.has(address)) return "this card";
  const PciFunction* function = host.function(address);
  if (function == nullptr) return "FOREIGN: nothing more is known of it";
  std::string what = fmt::format("{}, {}", class_of(*function), short_name(*function));
  if (function->class_code.has_value() && model::is_bridge_class(function->class_code.value())) {
    return what + " (stays with the host)";
  }
  if (function->physical_function && card.has(*function->physical_function)) {
    return "virtual function of this card";
  }
  if (!function->driver.empty()) what += ", driver " + function->driver;
  return "FOREIGN: " + what;
}

void add_groups(std::string& out, const HostSnapshot& host, const Card& card) {
  if (card.groups.empty()) {
    field(out, "IOMMU groups", host.complete ? "none: the IOMMU is off or missing" : "not known");
    return;
  }
  out += "  IOMMU groups\n";
  for (int number : card.groups) {
    const model::IommuGroup* group = host.group(number);
    if (group == nullptr) continue;
    std::string type = group->type.has_value() ? fmt::format(" ({})", group->type.value()) : "";
    out += fmt::format("    group {}{}\n", number, type);
    for (const auto& address : group->members) {
      out += fmt::format("      {}  {}\n", to_string(address), role_in_group(host, card, address));
    }
    for (const auto& region : group->reserved_regions) {
      out +=
          fmt::format("      reserved 0x{:x}-0x{:x} {}\n", region.first, region.last, region.type);
    }
  }
}

std::vector<const PciFunction*> virtual_functions(const HostSnapshot& host, const Card& card) {
  std::vector<const PciFunction*> found;
  for (const auto& function : host.functions) {
    if (function.physical_function && card.has(*function.physical_function)) {
      found.push_back(&function);
    }
  }
  return found;
}

void add_virtual_functions(std::string& out, const HostSnapshot& host, const Card& card) {
  auto functions = virtual_functions(host, card);
  if (functions.empty()) return;
  out += "  Virtual functions\n";
  for (const PciFunction* function : functions) {
    out += fmt::format("    {}  driver {}\n", to_string(function->address),
                       driver_words(host, *function));
  }
}

void add_path(std::string& out, const HostSnapshot& host, const PciFunction& main) {
  if (!main.parent) return;
  const auto ports = ports_above(host, main);
  if (ports.empty()) field(out, "below", to_string(*main.parent));
  for (const PciFunction* port : ports) {
    field(out, port == ports.front() ? "below" : "",
          fmt::format("{}  {}", to_string(port->address), port_words(*port)));
  }
}

void add_framebuffers(std::string& out, const HostSnapshot& host, const Card& card) {
  for (const auto& framebuffer : host.framebuffers) {
    bool ours = framebuffer.function && card.has(*framebuffer.function);
    if (!ours) continue;
    std::string who = framebuffer.device.empty() ? framebuffer.label : framebuffer.device;
    if (!framebuffer.driver.empty()) who += fmt::format(", driver {}", framebuffer.driver);
    field(out, "boot framebuffer",
          fmt::format("0x{:x}-0x{:x} in {} ({})", framebuffer.first, framebuffer.last,
                      to_string(*framebuffer.function), who));
  }
}

void add_holders(std::string& out, const HostSnapshot& host, const Card& card) {
  bool none = true;
  for (const auto& holder : host.holders) {
    if (!card.has(holder.function)) continue;
    if (none) out += "  Held open by\n";
    none = false;
    std::string unit = holder.unit.empty() ? "" : fmt::format(", {}", holder.unit);
    out += fmt::format("    {} (process {}{}): {}\n", text::printable(holder.name), holder.pid,
                       unit, text::join(holder.paths, ", "));
  }
  if (host.complete && none) {
    field(out, "held open by",
          host.unreadable_processes > 0 ? "nobody that can be seen" : "nobody");
  }
  if (host.unreadable_processes > 0) {
    out += fmt::format("    {} processes may not be looked into; as root, all holders show\n",
                       host.unreadable_processes);
  }
}

}  // namespace

std::string show_text(const HostSnapshot& host, const Card& card, const ReportStyle& style) {
  const PciFunction* main = host.function(card.address);
  if (main == nullptr) return {};
  std::string out = bold(fmt::format("{}  {}", to_string(card.address), card.name), style) + "\n";
  field(out, "identity", card.identity);
  field(out, "state", card_state(host, card).words);
  if (card.integrated) field(out, "place", "part of the processor package");
  field(out, "NUMA node", reading(main->numa_node, numa_text));
  field(out, "boot display", reading(main->boot_vga, [](bool on) -> std::string {
          return on ? "yes: the firmware drew on it" : "no";
        }));
  if (auto cpus = main->local_cpus.value_or(""); !cpus.empty()) {
    field(out, "near processors", cpus);
  }
  add_path(out, host, *main);
  add_framebuffers(out, host, card);
  out += "  Functions\n";
  for (const auto& address : card.functions) {
    if (const PciFunction* function = host.function(address)) add_function(out, host, *function);
  }
  add_virtual_functions(out, host, card);
  add_groups(out, host, card);
  add_holders(out, host, card);
  return out;
}

HostSnapshot only_card(const HostSnapshot& host, const Card& card) {
  HostSnapshot one = host;
  one.cards = {card};
  std::set<PciAddress> wanted(card.functions.begin(), card.functions.end());
  for (const PciFunction* function : virtual_functions(host, card))
    wanted.insert(function->address);
  std::erase_if(one.groups, [&](const model::IommuGroup& group) {
    if (std::ranges::find(card.groups, group.number) == card.groups.end()) return true;
    wanted.insert(group.members.begin(), group.members.end());
    return false;
  });
  for (auto member : std::set(wanted)) {
    const PciFunction* function = host.function(member);
    while (function != nullptr && function->parent) {
      if (!wanted.insert(*function->parent).second) break;
      function = host.function(*function->parent);
    }
  }
  std::erase_if(one.functions,
                [&](const PciFunction& function) { return !wanted.contains(function.address); });
  std::erase_if(one.framebuffers, [&](const model::BootFramebuffer& framebuffer) {
    return framebuffer.function && !card.has(*framebuffer.function);
  });
  std::erase_if(one.holders,
                [&](const model::Holder& holder) { return !card.has(holder.function); });
  return one;
}

}  // namespace tessera::app
