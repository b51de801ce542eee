// SPDX-License-Identifier: Apache-2.0
#include "probe/config_space.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "probe/read.h"

namespace tessera::probe {

namespace files = kernel::files;
using model::Capabilities;
using model::ExpressType;
using model::PciAddress;
using model::PciFunction;
using model::Reading;

namespace {

constexpr std::size_t header_size = 64;
/// Ids, status, class and form: no device that answers has all ones there, a virtual function,
/// whose ids are, included (SR-IOV specification 3.4.1). What follows, a hypervisor may answer
/// itself.
constexpr std::size_t identity_size = 16;
constexpr std::size_t extended_start = 256;

// Names and numbers of include/uapi/linux/pci_regs.h.
constexpr int capability_express = 0x10;
constexpr int capability_advanced_features = 0x13;
constexpr int extended_acs = 0x0d;
constexpr int extended_sr_iov = 0x10;
constexpr int extended_resizable_bar = 0x15;

/// Little-endian values at offsets; 0 beyond the end.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::uint8_t u8(std::size_t at) const {
    return at < bytes_.size() ? static_cast<std::uint8_t>(bytes_[at]) : std::uint8_t{0};
  }
  [[nodiscard]] std::uint16_t u16(std::size_t at) const {
    return static_cast<std::uint16_t>(u8(at) | u8(at + 1) << 8);
  }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const {
    return u16(at) | static_cast<std::uint32_t>(u16(at + 2)) << 16;
  }
  [[nodiscard]] bool all_ones(std::size_t size) const {
    return std::ranges::all_of(bytes_.substr(0, size), [](char c) { return c == '\xff'; });
  }

 private:
  std::string_view bytes_;
};

ExpressType express_type(int code) {
  switch (code) {
    case 0:   // PCI Express endpoint
    case 1:   // legacy endpoint
    case 9:   // root complex integrated endpoint
    case 10:  // root complex event collector
      return ExpressType::endpoint;
    case 4:
      return ExpressType::root_port;
    case 5:
      return ExpressType::upstream_port;
    case 6:
      return ExpressType::downstream_port;
    case 7:
      return ExpressType::pcie_to_pci_bridge;
    case 8:
      return ExpressType::pci_to_pcie_bridge;
    default:
      return ExpressType::other;
  }
}

void take_capability(const Bytes& config, std::size_t at, Capabilities& found) {
  const int id = config.u8(at);
  if (id == capability_express) {
    found.type = express_type(config.u16(at + 2) >> 4 & 0xf);
    found.function_level_reset |= (config.u32(at + 4) >> 28 & 1) != 0;
  } else if (id == capability_advanced_features) {
    found.function_level_reset |= (config.u8(at + 3) & 2) != 0;
  }
}

void take_resizable_bars(const Bytes& config, std::size_t at, Capabilities& found) {
  const std::size_t count = std::min(config.u32(at + 8) >> 5 & 7, 6U);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t sizes = config.u32(at + 4 + 8 * i) >> 4;
    const std::uint32_t control = config.u32(at + 8 + 8 * i);
    model::ResizableBar bar;
    bar.index = static_cast<int>(control & 7);
    bar.size_mib = std::uint64_t{1} << (control >> 8 & 0x3f);
    for (unsigned power = 0; power < 28; ++power) {
      if ((sizes >> power & 1) != 0) bar.possible_mib.push_back(std::uint64_t{1} << power);
    }
    found.resizable_bars.push_back(std::move(bar));
  }
}

void take_extended(const Bytes& config, std::size_t at, Capabilities& found) {
  switch (config.u16(at)) {
    case extended_acs:
      found.acs = model::Acs{config.u16(at + 4), config.u16(at + 6)};
      break;
    case extended_sr_iov:
      found.sr_iov = model::SrIov{.total_vfs = config.u16(at + 0x0e),
                                  .enabled_vfs = (config.u16(at + 8) & 1) != 0
                                                     ? static_cast<int>(config.u16(at + 0x10))
                                                     : 0,
                                  .offset = config.u16(at + 0x14),
                                  .stride = config.u16(at + 0x16),
                                  .vf_device = config.u16(at + 0x1a)};
      break;
    case extended_resizable_bar:
      if (found.resizable_bars.empty()) take_resizable_bars(config, at, found);
      break;
    default:
      break;
  }
}

void walk_capabilities(const Bytes& config, Capabilities& found) {
  constexpr std::uint16_t has_list = 0x10;
  if ((config.u16(6) & has_list) == 0) return;
  std::set<std::size_t> seen;
  std::size_t at = config.u8(0x34) & 0xfcU;
  while (at >= header_size && seen.insert(at).second) {
    take_capability(config, at, found);
    at = config.u8(at + 1) & 0xfcU;
  }
}

void walk_extended(const Bytes& config, Capabilities& found) {
  std::set<std::size_t> seen;
  std::size_t at = extended_start;
  while (at >= extended_start && at + 4 <= config.size() && seen.insert(at).second) {
    if (config.u32(at) == 0 || config.u32(at) == ~std::uint32_t{0}) return;
    take_extended(config, at, found);
    at = config.u32(at) >> 20 & 0xffcU;
  }
}

/// The functions whose configuration space says something about a card.
std::set<PciAddress> that_matter(const model::HostSnapshot& host) {
  std::set<PciAddress> wanted;
  for (const auto& card : host.cards) {
    wanted.insert(card.functions.begin(), card.functions.end());
    for (int number : card.groups) {
      const auto* group = host.group(number);
      if (group != nullptr) wanted.insert(group->members.begin(), group->members.end());
    }
  }
  for (const auto& address : std::set(wanted)) {
    const PciFunction* function = host.function(address);
    while (function != nullptr && function->parent && wanted.insert(*function->parent).second) {
      function = host.function(*function->parent);
    }
  }
  return wanted;
}

}  // namespace

Reading<Capabilities> parse_config_space(std::string_view bytes) {
  const Bytes config(bytes);
  Capabilities found;
  if (bytes.size() < header_size) return Reading<Capabilities>::unreadable("it is cut short");
  found.silent = config.all_ones(identity_size);
  if (found.silent) return found;
  if (bytes.size() == header_size) {
    return Reading<Capabilities>::unreadable("only root may read more than its first 64 bytes");
  }
  walk_capabilities(config, found);
  walk_extended(config, found);
  return found;
}

std::vector<model::Bar> parse_resource(std::string_view text) {
  // include/linux/ioport.h
  constexpr std::uint64_t io = 0x100;
  constexpr std::uint64_t prefetch = 0x2000;
  constexpr std::uint64_t memory_64 = 0x100000;
  std::vector<model::Bar> bars;
  int index = -1;
  for (auto line : text::lines(text)) {
    ++index;
    auto words = text::words(line);
    if (words.size() != 3) continue;
    auto first = text::to_number(words[0], 16);
    auto last = text::to_number(words[1], 16);
    auto flags = text::to_number(words[2], 16);
    if (!first || !last || !flags || *flags == 0 || *last < *first) continue;
    bars.push_back({.index = index,
                    .first = *first,
                    .last = *last,
                    .io = (*flags & io) != 0,
                    .prefetchable = (*flags & prefetch) != 0,
                    .wide = (*flags & memory_64) != 0});
  }
  return bars;
}

void read_capabilities(const kernel::Root& root, model::HostSnapshot& host) {
  const auto wanted = that_matter(host);
  for (auto& function : host.functions) {
    const bool asleep = function.power_state.value_or("") == "D3cold";
    if (!wanted.contains(function.address) || asleep) continue;
    auto bytes = root.read(files::pci_device(to_string(function.address), "config"));
    if (bytes) {
      function.capabilities = parse_config_space(*bytes);
    } else if (bytes.error().kind != ErrorKind::not_found) {
      function.capabilities = Reading<Capabilities>::unreadable(why_unreadable(bytes.error()));
    }
  }
}

}  // namespace tessera::probe
