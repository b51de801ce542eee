// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tessera::plan::slices {

// The layout problem: cards with their rules, and a multiset of wanted slices. Pure numbers; who
// fills a Room from a host is room.h. All framebuffer in bytes, all placement in the card's own
// units (GiB on NVIDIA).
//
// The rules, asked of what stands on a card afterwards, old and new:
//   slices     no more than Room::max_slices, and of each offer no more than its max_instances
//   memory     their framebuffer together is no more than Room::framebuffer_bytes, where counted
//   sizes      SizeRule
//   placement  each stands at one of its offer's starts, inside the region, and overlaps no other
//   budgets    what they need of each budget together is no more than there is
//   instances  MIG-backed ones stand in a GPU instance of their kind, no more than fit in one;
//              GPU instances keep to their starts, region and number, and overlap no other
// What stands there already may have a start that is not among the starts (the mode was another
// then), but has to have one that is known. A card that breaks a rule as it stands gets nothing
// new; taking slices away from it breaks nothing.

/// Whether slices of different framebuffer may stand on one card.
enum class SizeRule {
  equal,  ///< all of one framebuffer size, whatever their series (NVIDIA's default; every
          ///< GPU instance for itself under MIG)
  mixed,  ///< any, as far as placements and budgets go
};

/// One profile on one card.
struct Offer {
  std::string type;
  std::uint64_t framebuffer_bytes = 0;  ///< 0: it has none of its own (GVT-g, plain VFs)
  int max_instances = 0;                ///< on this card, of this offer alone, those that exist too
  int length = 0;  ///< placement units it covers; 0: it has no placement. MIG-backed ones have none
                   ///< here: the driver places them inside their GPU instance
  std::vector<int> starts;  ///< placement ids it may have, ascending; used where length > 0
  std::vector<std::uint64_t> needs;  ///< of Room::budgets, in that order; may be shorter
  int gpu_instance = -1;             ///< MIG-backed: index in Room::gpu_instances; else -1
  bool operator==(const Offer&) const = default;
};

/// One kind of GPU instance that MIG can make.
struct GpuInstanceKind {
  std::string name;         ///< "1g.5gb"
  int length = 0;           ///< memory slices it covers
  std::vector<int> starts;  ///< where it may begin, ascending
  int max_instances = 0;    ///< of this kind on the card
  int max_slices = 1;       ///< vGPUs in one (1 on A100 and H100, up to 12 later)
  /// That the vGPUs in one have together; 0: not counted. It is why an instance that can hold 12
  /// small vGPUs holds only 3 large ones.
  std::uint64_t framebuffer_bytes = 0;
  bool operator==(const GpuInstanceKind&) const = default;
};

/// A GPU instance that exists.
struct GpuInstance {
  int kind = 0;  ///< index in Room::gpu_instances
  int start = 0;
  bool operator==(const GpuInstance&) const = default;
};

/// A slice that exists.
struct Taken {
  int offer = 0;             ///< index in Room::offers
  std::optional<int> start;  ///< its placement id, where it has one
  int instance = -1;         ///< MIG-backed: index in Room::instances; else -1
  bool movable = false;      ///< nobody owns it and nobody has it open
  bool operator==(const Taken&) const = default;
};

/// A card as the planner sees it.
struct Room {
  std::string card;
  SizeRule rule = SizeRule::equal;
  std::uint64_t framebuffer_bytes = 0;  ///< that slices can have together; 0: not counted
  int max_slices = 0;                   ///< VFs, or what the kernel allows
  int units = 0;                        ///< length of the placement region; 0: no placements
  std::vector<std::uint64_t> budgets;   ///< that all slices share, those that exist too (aperture,
                                        ///< hidden memory, fences)
  std::vector<GpuInstanceKind> gpu_instances;
  int memory_slices = 0;               ///< MIG: length of the region the GPU instances stand in
  std::vector<GpuInstance> instances;  ///< that exist
  std::vector<Offer> offers;
  std::vector<Taken> taken;
};

/// Some slices of one kind. On each card any of the offers named will do.
struct Want {
  int count = 0;
  std::vector<std::vector<int>> accepts;  ///< by card: indices in Room::offers, the best first
};

/// Where one wanted slice goes.
struct Seat {
  int want = 0;
  int room = 0;
  int offer = 0;
  std::optional<int> start;  ///< placement id, where the offer has placements
  int instance = -1;  ///< MIG-backed: index in Room::instances, new ones counted on from there
  bool operator==(const Seat&) const = default;
};

/// A slice that has to be made anew elsewhere, as an offer of the same type and framebuffer, on its
/// own card or another. Moves and seats are one state: all that move are taken away first.
struct Move {
  int room = 0;
  int taken = 0;
  Seat to;  ///< `want` is -1
  bool operator==(const Move&) const = default;
};

/// GPU instances to make on one card, after those that exist (which stay).
struct NewInstances {
  int room = 0;
  std::vector<GpuInstance> instances;
};

/// A layout that holds by all rules.
struct Layout {
  std::vector<Seat> seats;  ///< by want, then room
  std::vector<Move> moves;
  std::vector<NewInstances> instances;  ///< by room
  /// Framebuffer that nobody can have any more. Summed over the cards that hold slices afterwards
  /// (old or new) and whose framebuffer is counted: Room::framebuffer_bytes, less that of the
  /// slices on it, less the most that further slices of its offers could still get by all rules
  /// with these slices where they are, in new GPU instances too. A card that breaks a rule as it
  /// stands and gets nothing new is left out.
  std::uint64_t stranded_bytes = 0;
};

/// That no layout exists. It is a proof: every assignment was looked at, or ruled out by a bound.
struct Impossible {
  int want = -1;       ///< the first want for which the cards have no room even alone; -1: only all
                       ///< of them together do not fit
  int most = 0;        ///< how many of that want fit; with want = -1, of all slices wanted
  std::string reason;  ///< one sentence for people
};

enum class Moves { none, allowed };

/// Finds the best layout for all wants, or proves that there is none. Better is, in this order:
///   1. less framebuffer stranded
///   2. fewer moves
///   3. the first card has more slices of the first want, then of the second, ..., and more of the
///      movable slices by type; then the next card. Wants that accept the same are taken together,
///      in the place of the first of them, and filled one after the other
///   4. on each card, more slices of the first want by the offer it accepts first, then by the next
///   5. on each card, fewer new GPU instances (those that exist are used first), then the smaller
///      sum of placement ids
/// 1 to 4 are exact, 5 too for a card by itself. Deterministic.
///
/// Wants that accept the same are one class of slices, and so are movable slices of one type. For
/// each different card all numbers of slices by class that it can hold are listed once, with the
/// least they strand; then the cards are covered by branch and bound, with the prices of a linear
/// program as bounds and a table of what was proven. 16 cards and 200 slices of up to three classes
/// take less than 10 ms (bench/slices.sh); 16 cards that all differ, with slices that may move,
/// some tens.
///
/// What it costs at worst: the lists grow with the power of the number of classes that share one
/// card (with 32 slices on a card 33 entries for one class, at most 6545 for three, 58905 for
/// four), and each movable type is a class: four of them on 16 cards that all differ take seconds.
/// The covering is bin packing, so many classes that just do not fit on many different cards can
/// take exponential time. It is never cut short: no answer is a guess. Offers and cards that a want
/// does not know are not accepted; a count below 1 wants nothing.
std::variant<Layout, Impossible> find_layout(const std::vector<Room>& rooms,
                                             const std::vector<Want>& wants,
                                             Moves moves = Moves::none);

/// The first rule that a layout breaks, as a sentence; empty when it holds. Checks from the rules
/// alone and shares nothing with the search. Asked are the rules, not whether a layout is the best.
std::string broken_rule(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                        const Layout& layout);

}  // namespace tessera::plan::slices
