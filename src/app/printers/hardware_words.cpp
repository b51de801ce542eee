// SPDX-License-Identifier: Apache-2.0
#include "app/printers/hardware_words.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"

namespace tessera::app {

using model::PciFunction;

namespace {

std::string speed_and_width(const model::Reading<double>& speed, const model::Reading<int>& width) {
  if (!speed.has_value() || !width.has_value()) return {};
  return fmt::format("{:g} GT/s x{}", speed.value(), width.value());
}

std::string acs_words(const model::Capabilities& capabilities) {
  if (!capabilities.acs) return "no ACS";
  if (capabilities.acs->isolates()) return "ACS on";
  return capabilities.acs->can_isolate() ? "ACS off" : "ACS that does not isolate";
}

}  // namespace

std::string link_words(const model::PciLink& link) {
  const std::string now = speed_and_width(link.speed_gt, link.width);
  const std::string most = speed_and_width(link.max_speed_gt, link.max_width);
  if (now.empty()) return most.empty() ? most : "at most " + most;
  return most.empty() || most == now ? now : fmt::format("{} of {}", now, most);
}

std::string bar_words(const model::Bar& bar) {
  std::string name = bar.index == model::rom_bar        ? "ROM"
                     : bar.index >= model::first_vf_bar ? fmt::format("VF BAR {}", bar.index - 7)
                                                        : fmt::format("BAR {}", bar.index);
  std::string words = fmt::format("{}: {}", name, text::size(bar.size()));
  words += bar.first == 0 ? ", no address" : fmt::format(" at 0x{:x}", bar.first);
  if (bar.io) return words + ", I/O ports";
  if (bar.wide) words += ", 64 bits";
  if (bar.prefetchable) words += ", prefetchable";
  return words;
}

std::string resizable_words(const model::ResizableBar& bar) {
  std::string words = fmt::format("BAR {}: {}", bar.index, text::size(bar.size_mib * mib));
  if (bar.possible_mib.empty()) return words;
  return words + fmt::format(", of {} to {}", text::size(bar.possible_mib.front() * mib),
                             text::size(bar.possible_mib.back() * mib));
}

std::string port_words(const PciFunction& port) {
  const auto& capabilities = port.capabilities;
  if (capabilities.is_unreadable()) {
    return fmt::format("bridge, configuration not readable ({})", capabilities.why());
  }
  if (!capabilities.has_value()) return "bridge";
  if (capabilities.value().silent) return "bridge that does not answer";
  const auto type = capabilities.value().type;
  const bool express_port = type == model::ExpressType::root_port ||
                            type == model::ExpressType::upstream_port ||
                            type == model::ExpressType::downstream_port;
  std::string words(to_string(type));
  return express_port ? fmt::format("{}, {}", words, acs_words(capabilities.value())) : words;
}

std::vector<const PciFunction*> ports_above(const model::HostSnapshot& host,
                                            const PciFunction& function) {
  std::vector<const PciFunction*> ports;
  const PciFunction* below = &function;
  while (below->parent && ports.size() < host.functions.size()) {
    below = host.function(*below->parent);
    if (below == nullptr) break;
    ports.push_back(below);
  }
  return ports;
}

}  // namespace tessera::app
