// SPDX-License-Identifier: Apache-2.0
// slices_layout [ROUNDS [NAME]]: how long find_layout takes for 16 cards and some 200 slices, by
// the kinds of rules that cards have. One row each: the median and the slowest of ROUNDS runs, and
// what came out. The last rows are hard on purpose.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "plan/slices/layout/layout.h"
#include "plan/slices/layout/test_rooms.h"

namespace {

using tessera::plan::slices::find_layout;
using tessera::plan::slices::GpuInstanceKind;
using tessera::plan::slices::Impossible;
using tessera::plan::slices::Layout;
using tessera::plan::slices::Moves;
using tessera::plan::slices::Offer;
using tessera::plan::slices::Room;
using tessera::plan::slices::SizeRule;
using tessera::plan::slices::Want;

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
constexpr std::uint64_t mib = std::uint64_t{1} << 20U;

struct Case {
  std::string name;
  std::vector<Room> rooms;
  std::vector<Want> wants;
  Moves moves = Moves::none;
};

using tessera::plan::slices::test::offer;

/// Where slices may start on an L40S in the mode of mixed sizes
/// (tests/tables/nvidia_placements.csv).
std::vector<int> mixed_starts(int size) {
  switch (size) {
    case 1:
      return {0, 5, 6, 11, 12, 17, 18, 23, 24, 29, 30, 35, 36, 41, 42, 47};
    case 2:
      return {0, 4, 6, 10, 12, 16, 18, 22, 24, 28, 30, 34, 36, 40, 42, 46};
    case 3:
      return {0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45};
    case 4:
      return {0, 8, 12, 20, 24, 32, 36, 44};
    case 6:
      return {0, 6, 12, 18, 24, 30, 36, 42};
    case 8:
      return {0, 16, 24, 40};
    case 12:
      return {0, 12, 24, 36};
    case 16:
      return {0, 32};
    case 24:
      return {0, 24};
    default:
      return {0};
  }
}

/// 48 GiB with sizes 1 to 48 in the series Q, A and C.
Room large_card(SizeRule rule) {
  Room room;
  room.rule = rule;
  room.framebuffer_bytes = 48 * gib;
  room.max_slices = 32;
  room.units = rule == SizeRule::mixed ? 48 : 0;
  for (const char series : {'Q', 'A', 'C'}) {
    for (const int size : {1, 2, 3, 4, 6, 8, 12, 16, 24, 48}) {
      Offer made = offer(fmt::format("{}{}", size, series), static_cast<std::uint64_t>(size) * gib,
                         std::min(32, 48 / size));
      if (rule == SizeRule::mixed) {
        made.length = size;
        made.starts = mixed_starts(size);
      }
      room.offers.push_back(std::move(made));
    }
  }
  return room;
}

/// i915's GVT-g with 1 GiB of aperture.
Room gvt_card() {
  Room room;
  room.max_slices = 20;
  room.budgets = {896 * mib, 2688 * mib, 28};
  const int low[] = {64, 128, 256, 512};
  const int high[] = {384, 512, 1024, 2048};
  for (int i = 0; i < 4; ++i) {
    Offer made = offer(fmt::format("V5_{}", 8 >> i), 0, 7);
    made.needs = {static_cast<std::uint64_t>(low[i]) * mib,
                  static_cast<std::uint64_t>(high[i]) * mib, 4};
    room.offers.push_back(std::move(made));
  }
  return room;
}

/// An A100 with 40 GiB under MIG.
Room mig_card() {
  Room room;
  room.framebuffer_bytes = 40 * gib;
  room.max_slices = 7;
  room.memory_slices = 8;
  room.gpu_instances = {
      GpuInstanceKind{"1g.5gb", 1, {0, 1, 2, 3, 4, 5, 6}, 7, 1, 0},
      GpuInstanceKind{"1g.10gb", 2, {0, 2, 4, 6}, 4, 1, 0},
      GpuInstanceKind{"2g.10gb", 2, {0, 2, 4}, 3, 1, 0},
      GpuInstanceKind{"3g.20gb", 4, {0, 4}, 2, 1, 0},
      GpuInstanceKind{"4g.20gb", 4, {0}, 1, 1, 0},
      GpuInstanceKind{"7g.40gb", 8, {0}, 1, 1, 0},
  };
  const std::uint64_t sizes[] = {5, 10, 10, 20, 20, 40};
  for (int kind = 0; kind < 6; ++kind) {
    const GpuInstanceKind& of = room.gpu_instances[static_cast<std::size_t>(kind)];
    Offer made = offer("A100-" + of.name, sizes[kind] * gib, of.max_instances);
    made.gpu_instance = kind;
    room.offers.push_back(std::move(made));
  }
  return room;
}

std::vector<Room> sixteen(const Room& room) {
  std::vector<Room> rooms(16, room);
  for (std::size_t r = 0; r < rooms.size(); ++r) rooms[r].card = fmt::format("card {}", r);
  return rooms;
}

Want want(int count, const std::vector<int>& accepts, std::size_t cards = 16) {
  return {count, std::vector(cards, accepts)};
}

/// Slices that stand on the cards already, different on each; those of one offer may be movable.
std::vector<Room> begun(std::vector<Room> rooms, bool movable, int movable_offer = -1) {
  for (std::size_t r = 0; r < rooms.size(); ++r) {
    const int o = static_cast<int>(r % 4) + 1;
    const Offer& of = rooms[r].offers[static_cast<std::size_t>(o)];
    for (std::size_t n = 0; n < 1 + r % 3; ++n) {
      std::optional<int> start;
      if (of.length > 0) start = of.starts[(r + 2 * n) % of.starts.size()];
      rooms[r].taken.push_back({o, start, -1, movable || o == movable_offer});
    }
  }
  return rooms;
}

std::vector<Case> cases() {
  const auto equal = sixteen(large_card(SizeRule::equal));
  const auto mixed = sixteen(large_card(SizeRule::mixed));
  return {
      {"equal sizes, 200 of one", equal, {want(200, {1})}},
      {"equal sizes, 96 + 60 + 36", equal, {want(96, {1}), want(60, {3}), want(36, {5})}},
      {"equal sizes, cards begun", begun(equal, false), {want(80, {1}), want(30, {3})}},
      {"equal sizes, 130 where 128 fit", equal, {want(130, {4, 14, 24})}},
      {"equal sizes, two kinds too many", equal, {want(180, {3}), want(20, {8})}},
      {"mixed sizes, 200 of one", mixed, {want(200, {1, 11, 21})}},
      {"mixed sizes, 84 + 48 + 40", mixed, {want(84, {1}), want(48, {3}), want(40, {5})}},
      {"mixed sizes, 100 + 60 + 40 do not fit",
       mixed,
       {want(100, {1}), want(60, {3}), want(40, {5})}},
      {"mixed sizes, 200 of 2 GiB or more", mixed, {want(200, {1, 2, 3, 4, 5, 6, 7, 8})}},
      {"mixed sizes, cards begun", begun(mixed, false), {want(120, {1}), want(40, {4})}},
      {"mixed sizes, 16 of one type may move",
       begun(mixed, false, 1),
       {want(120, {1}), want(40, {4})},
       Moves::allowed},
      {"GVT-g, 60 + 10", sixteen(gvt_card()), {want(60, {0}), want(10, {1})}},
      {"GVT-g, 40 + 20 + 10", sixteen(gvt_card()), {want(40, {0}), want(20, {1}), want(10, {2})}},
      {"MIG, 112 of one", sixteen(mig_card()), {want(112, {0})}},
      {"MIG, 40 + 16 + 8", sixteen(mig_card()), {want(40, {0}), want(16, {2}), want(8, {3})}},
      {"MIG, 60 + 20 + 8 do not fit",
       sixteen(mig_card()),
       {want(60, {0}), want(20, {2}), want(8, {3})}},
      {"hard: mixed sizes, 4 kinds",
       mixed,
       {want(80, {1}), want(60, {2}), want(40, {3}), want(20, {5})}},
      {"hard: mixed sizes, 3 kinds too many", mixed, {want(96, {1}), want(96, {3}), want(24, {5})}},
      {"hard: 32 of four types may move",
       begun(mixed, true),
       {want(120, {1}), want(40, {4})},
       Moves::allowed},
  };
}

std::string outcome(const std::variant<Layout, Impossible>& answer) {
  if (const auto* none = std::get_if<Impossible>(&answer)) {
    return fmt::format("impossible, {} fit", none->most);
  }
  const auto& layout = std::get<Layout>(answer);
  return fmt::format("{} seats, {} moves, {} GiB stranded", layout.seats.size(),
                     layout.moves.size(), layout.stranded_bytes / gib);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string only = argc > 2 ? argv[2] : "";
  const int rounds =
      argc > 1 ? std::max(1, static_cast<int>(std::strtol(argv[1], nullptr, 10))) : 9;
  fmt::print("find_layout, 16 cards: median and slowest of {} rounds\n", rounds);
  for (const Case& one : cases()) {
    if (one.name.find(only) == std::string::npos) continue;
    std::vector<double> ms;
    std::string what;
    for (int i = 0; i < rounds; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      const auto answer = find_layout(one.rooms, one.wants, one.moves);
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - begin;
      ms.push_back(took.count());
      what = outcome(answer);
    }
    std::ranges::sort(ms);
    fmt::print("{:<38} {:8.2f} ms {:8.2f} ms   {}\n", one.name, ms[ms.size() / 2], ms.back(), what);
    std::fflush(stdout);
  }
  return 0;
}
