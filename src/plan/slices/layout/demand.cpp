// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/layout/demand.h"

#include <algorithm>

namespace tessera::plan::slices {
namespace {

bool has(const std::vector<int>& list, int value) {
  return std::ranges::find(list, value) != list.end();
}

bool known_offer(const Room& room, int offer) {
  return offer >= 0 && offer < static_cast<int>(room.offers.size());
}

std::vector<std::vector<int>> cleaned(const std::vector<Room>& rooms, const Want& want) {
  std::vector<std::vector<int>> accepts(rooms.size());
  for (std::size_t r = 0; r < rooms.size() && r < want.accepts.size(); ++r) {
    for (const int offer : want.accepts[r]) {
      if (known_offer(rooms[r], offer) && !has(accepts[r], offer)) {
        accepts[r].push_back(offer);
      }
    }
  }
  return accepts;
}

void add_want(std::vector<SliceClass>& classes, int want, int count,
              std::vector<std::vector<int>> accepts) {
  if (count <= 0) return;
  auto found = std::ranges::find(classes, accepts, &SliceClass::accepts);
  if (found == classes.end()) {
    found = classes.insert(classes.end(), SliceClass{0, {}, std::move(accepts)});
  }
  found->count += count;
  found->wants.push_back(want);
}

/// Every offer, on any card, that a slice of this one can be made anew as.
std::vector<std::vector<int>> same_offers(const std::vector<Room>& rooms, const Offer& offer) {
  std::vector<std::vector<int>> same(rooms.size());
  for (std::size_t r = 0; r < rooms.size(); ++r) {
    for (std::size_t o = 0; o < rooms[r].offers.size(); ++o) {
      const Offer& other = rooms[r].offers[o];
      if (other.type == offer.type && other.framebuffer_bytes == offer.framebuffer_bytes) {
        same[r].push_back(static_cast<int>(o));
      }
    }
  }
  return same;
}

void add_moving(Demand& demand, const std::vector<Room>& rooms, int room, const Taken& taken) {
  int at = demand.moving_class(room, taken.offer);
  if (at < 0) {
    const Offer& offer =
        rooms[static_cast<std::size_t>(room)].offers[static_cast<std::size_t>(taken.offer)];
    at = static_cast<int>(demand.classes.size());
    demand.classes.push_back({0, {}, same_offers(rooms, offer)});
  }
  ++demand.classes[static_cast<std::size_t>(at)].count;
}

}  // namespace

std::vector<int> Demand::counts() const {
  std::vector<int> all;
  for (const SliceClass& c : classes) all.push_back(c.count);
  return all;
}

int Demand::moving_class(int room, int offer) const {
  for (auto c = static_cast<std::size_t>(want_classes); c < classes.size(); ++c) {
    if (has(classes[c].accepts[static_cast<std::size_t>(room)], offer)) {
      return static_cast<int>(c);
    }
  }
  return -1;
}

bool may_move(const Room& room, const Taken& taken, Moves moves) {
  return moves == Moves::allowed && taken.movable && known_offer(room, taken.offer);
}

Demand demand_of(const std::vector<Room>& rooms, const std::vector<Want>& wants, Moves moves) {
  Demand demand;
  for (std::size_t w = 0; w < wants.size(); ++w) {
    add_want(demand.classes, static_cast<int>(w), wants[w].count, cleaned(rooms, wants[w]));
  }
  demand.want_classes = static_cast<int>(demand.classes.size());
  for (std::size_t r = 0; r < rooms.size(); ++r) {
    for (const Taken& taken : rooms[r].taken) {
      if (may_move(rooms[r], taken, moves)) {
        add_moving(demand, rooms, static_cast<int>(r), taken);
      }
    }
  }
  return demand;
}

}  // namespace tessera::plan::slices
