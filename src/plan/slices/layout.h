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
  int max_instances = 0;                ///< on this card, of this offer alone
  int length = 0;                       ///< placement units it covers; 0: it has no placement
  std::vector<int> starts;  ///< placement ids it may have, ascending; used where length > 0
  std::vector<std::uint64_t> needs;  ///< of Room::budgets, in that order; may be shorter
  int gpu_instance = -1;             ///< MIG-backed: index in Room::gpu_instances; else -1
};

/// One kind of GPU instance that MIG can make.
struct GpuInstanceKind {
  std::string name;         ///< "1g.5gb"
  int length = 0;           ///< memory slices it covers
  std::vector<int> starts;  ///< where it may begin, ascending
  int max_instances = 0;    ///< of this kind on the card
  int max_slices = 1;       ///< vGPUs in one (1 on A100 and H100, up to 12 later)
};

/// A GPU instance that exists.
struct GpuInstance {
  int kind = 0;  ///< index in Room::gpu_instances
  int start = 0;
};

/// A slice that exists.
struct Taken {
  int offer = 0;             ///< index in Room::offers
  std::optional<int> start;  ///< its placement id, where it has one
  int instance = -1;         ///< MIG-backed: index in Room::instances; else -1
  bool movable = false;      ///< nobody owns it and nobody has it open
};

/// A card as the planner sees it.
struct Room {
  std::string card;
  SizeRule rule = SizeRule::equal;
  std::uint64_t framebuffer_bytes = 0;  ///< that slices can have; 0: not counted
  int max_slices = 0;                   ///< VFs, or what the kernel allows
  int units = 0;                        ///< length of the placement region; 0: no placements
  std::vector<std::uint64_t> budgets;   ///< that slices share (aperture, hidden memory, fences)
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

/// A slice that has to be made anew elsewhere first.
struct Move {
  int room = 0;
  int taken = 0;
  Seat to;  ///< `want` is -1
  bool operator==(const Move&) const = default;
};

/// GPU instances to make on one card, after those that exist.
struct NewInstances {
  int room = 0;
  std::vector<GpuInstance> instances;
};

/// A layout that holds by all rules.
struct Layout {
  std::vector<Seat> seats;  ///< by want, then room
  std::vector<Move> moves;
  std::vector<NewInstances> instances;
  /// Framebuffer that no further slice of any offer can have, over the cards that hold slices.
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

/// Finds a layout for all wants, of the possible ones that which strands the least framebuffer,
/// then that with the fewest moves, then the first in the order of cards and offers; or proves that
/// there is none. Deterministic. 16 cards and 200 slices take less than 10 ms (bench/slices).
std::variant<Layout, Impossible> find_layout(const std::vector<Room>& rooms,
                                             const std::vector<Want>& wants,
                                             Moves moves = Moves::none);

/// The first rule that a layout breaks, as a sentence; empty when it holds. Checks from the rules
/// alone and shares nothing with the search.
std::string broken_rule(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                        const Layout& layout);

}  // namespace tessera::plan::slices
