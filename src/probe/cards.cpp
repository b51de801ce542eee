// SPDX-License-Identifier: Apache-2.0
#include "probe/cards.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "probe/pci.h"

namespace tessera::probe {

using model::Card;
using model::PciAddress;
using model::PciFunction;

namespace {

using Functions = std::vector<PciFunction>;
using Members = std::vector<const PciFunction*>;

constexpr std::uint16_t intel = 0x8086;

bool is_gpu(const PciFunction& function) {
  return function.class_code.has_value() && model::is_gpu_class(function.class_code.value()) &&
         !function.physical_function;
}

bool is_bridge(const PciFunction& function) {
  return function.class_code.has_value() && model::is_bridge_class(function.class_code.value());
}

bool has_sub_class(const PciFunction& function, std::uint16_t sub_class) {
  return function.class_code.has_value() &&
         model::sub_class(function.class_code.value()) == sub_class;
}

bool same_slot(const PciAddress& a, const PciAddress& b) {
  return a.domain == b.domain && a.bus == b.bus && a.device == b.device;
}

/// The slot's functions that can belong to a board.
Members slot_of(const Functions& functions, const PciFunction& gpu) {
  Members slot;
  for (const auto& function : functions) {
    bool wanted = same_slot(function.address, gpu.address) && !is_bridge(function) &&
                  !function.physical_function;
    if (wanted) slot.push_back(&function);
  }
  return slot;
}

/// Intel's integrated graphics is device 2 of the root bus on every platform so far.
bool is_intel_integrated(const PciFunction& gpu) {
  return gpu.vendor.has_value() && gpu.vendor.value() == intel && gpu.address.domain == 0 &&
         gpu.address.bus == 0 && gpu.address.device == 2 && !gpu.parent;
}

/// An AMD processor with graphics shows its security processor (1080) and audio co-processor
/// (0480) in the graphics' slot; no board has those.
bool is_amd_package(const Members& slot) {
  return std::ranges::any_of(slot, [](const PciFunction* function) {
    return has_sub_class(*function, 0x1080) || has_sub_class(*function, 0x0480);
  });
}

bool below(const PciFunction& function, const PciFunction& bridge) {
  return function.sysfs_path.starts_with(bridge.sysfs_path + "/");
}

bool may_be_on_a_board(const PciFunction& function) {
  return is_gpu(function) || is_bridge(function) || function.physical_function ||
         has_sub_class(function, 0x0403) || has_sub_class(function, 0x0c03) ||
         has_sub_class(function, 0x0c80);
}

/// Whether all below `bridge` can be one board around `gpu`.
bool holds_only_this_card(const Functions& functions, const PciFunction& bridge,
                          const PciFunction& gpu) {
  return std::ranges::all_of(functions, [&](const PciFunction& function) {
    if (!below(function, bridge)) return true;
    bool other_gpu = is_gpu(function) && !same_slot(function.address, gpu.address);
    return may_be_on_a_board(function) && !other_gpu;
  });
}

/// The board's own switch: at most the downstream and the upstream port right above the GPU, by
/// the same vendor as the GPU. Null when there is none, or the topology is not known.
const PciFunction* own_switch(const Functions& functions, const PciFunction& gpu) {
  auto chain = addresses_in_path(gpu.sysfs_path);
  const PciFunction* found = nullptr;
  for (std::size_t up = 1; up <= 2 && up < chain.size(); ++up) {
    auto bridge = std::ranges::find(functions, chain[chain.size() - 1 - up], &PciFunction::address);
    if (bridge == functions.end() || bridge->sysfs_path.empty() || !is_bridge(*bridge)) break;
    if (!bridge->vendor.has_value() || bridge->vendor != gpu.vendor) break;
    if (!holds_only_this_card(functions, *bridge, gpu)) break;
    found = &*bridge;
  }
  return found;
}

Members board_of(const Functions& functions, const PciFunction& gpu, bool& integrated) {
  Members members = slot_of(functions, gpu);
  if (is_intel_integrated(gpu)) {
    integrated = true;
    std::erase_if(members, [](const PciFunction* function) { return !is_gpu(*function); });
    return members;
  }
  if (is_amd_package(members)) {
    integrated = true;
    std::erase_if(members, [](const PciFunction* function) {
      bool audio = has_sub_class(*function, 0x0403) && function->address.function == 1;
      return !audio && !is_gpu(*function);
    });
    return members;
  }
  // Functions of one slot are one device (PCI 3.0, 3.2.2.3.4), whoever made the audio part. Only a
  // recording puts GPUs of two makers at one slot: there each keeps what its own maker made.
  const auto of_another_maker = [&](const PciFunction* function) {
    return function->vendor.has_value() && gpu.vendor.has_value() && function->vendor != gpu.vendor;
  };
  const bool two_makers = std::ranges::any_of(members, [&](const PciFunction* function) {
    return is_gpu(*function) && of_another_maker(function);
  });
  if (two_makers) std::erase_if(members, of_another_maker);
  if (const PciFunction* bridge = own_switch(functions, gpu)) {
    for (const auto& function : functions) {
      bool wanted = below(function, *bridge) && !is_bridge(function) && !function.physical_function;
      if (wanted && !same_slot(function.address, gpu.address)) members.push_back(&function);
    }
  }
  return members;
}

Card make_card(const Functions& functions, const PciFunction& gpu) {
  Card card;
  card.identity = card_identity(gpu);
  card.address = gpu.address;
  card.name = function_name(gpu);
  std::set<int> groups;
  for (const PciFunction* function : board_of(functions, gpu, card.integrated)) {
    card.functions.push_back(function->address);
    if (function->iommu_group.has_value()) groups.insert(function->iommu_group.value());
  }
  std::ranges::sort(card.functions);
  card.groups.assign(groups.begin(), groups.end());
  return card;
}

/// "0000" or "0000:80" from the "pci0000:80" piece of a sysfs path.
std::string root_bus(std::string_view sysfs_path) {
  for (auto piece : text::split(sysfs_path, '/')) {
    if (!piece.starts_with("pci")) continue;
    piece.remove_prefix(3);
    return std::string(piece.ends_with(":00") ? piece.substr(0, piece.size() - 3) : piece);
  }
  return {};
}

}  // namespace

std::vector<Card> find_cards(const Functions& functions) {
  std::vector<Card> cards;
  std::set<PciAddress> taken;
  for (const auto& function : functions) {
    if (!is_gpu(function) || taken.contains(function.address)) continue;
    cards.push_back(make_card(functions, function));
    taken.insert(cards.back().functions.begin(), cards.back().functions.end());
  }
  std::ranges::sort(cards, {}, &Card::address);
  return cards;
}

std::string card_identity(const PciFunction& function) {
  auto id = [](const model::Reading<std::uint16_t>& reading) {
    return reading.has_value() ? fmt::format("{:04x}", reading.value()) : std::string("?");
  };
  std::string identity = fmt::format("{}:{}", id(function.vendor), id(function.device));
  if (function.subsystem_vendor.has_value() && function.subsystem_device.has_value()) {
    identity += fmt::format("-{}:{}", id(function.subsystem_vendor), id(function.subsystem_device));
  }
  std::string root = root_bus(function.sysfs_path);
  if (root.empty()) return fmt::format("{}@{}", identity, to_string(function.address));
  identity += "@" + root;
  for (const auto& step : addresses_in_path(function.sysfs_path)) {
    identity += fmt::format("/{:02x}.{:x}", step.device, step.function);
  }
  return identity;
}

}  // namespace tessera::probe
