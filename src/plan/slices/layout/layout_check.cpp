// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "plan/slices/layout/layout.h"

// Written from layout.h alone: nothing of the search is used here, so that what one of them gets
// wrong the other one shows.

namespace tessera::plan::slices {
namespace {

template <typename T>
bool has_index(const std::vector<T>& list, int index) {
  return index >= 0 && static_cast<std::size_t>(index) < list.size();
}

template <typename T>
const T& item(const std::vector<T>& list, int index) {
  return list[static_cast<std::size_t>(index)];
}

bool contains(const std::vector<int>& list, int value) {
  return std::ranges::find(list, value) != list.end();
}

/// A sum that says "too much" instead of starting again at 0.
class Sum {
 public:
  void add(std::uint64_t more) {
    overflowed_ = overflowed_ || bytes_ + more < bytes_;
    bytes_ += more;
  }
  [[nodiscard]] bool exceeds(std::uint64_t limit) const { return overflowed_ || bytes_ > limit; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
  bool overflowed_ = false;
};

struct Standing {
  int offer = 0;
  std::optional<int> start;
  int instance = -1;
  bool is_new = false;
};

/// One card as the layout leaves it.
struct After {
  const Room* room = nullptr;
  std::vector<Standing> slices;
  std::vector<GpuInstance> instances;
  std::size_t old_instances = 0;
  bool gets_something = false;

  [[nodiscard]] const Offer& offer(const Standing& slice) const {
    return item(room->offers, slice.offer);
  }
};

/// "0000:3b:00.0: what is wrong"
template <typename... Args>
std::string on(const Room& room, fmt::format_string<Args...> format, Args&&... args) {
  return room.card + ": " + fmt::format(format, std::forward<Args>(args)...);
}

// What the layout names has to exist.

std::string broken_seat(const std::vector<Room>& rooms, const Seat& seat) {
  if (!has_index(rooms, seat.room)) return fmt::format("a seat names card {}", seat.room);
  const Room& room = item(rooms, seat.room);
  if (!has_index(room.offers, seat.offer)) return on(room, "a seat names offer {}", seat.offer);
  return {};
}

std::string broken_want(const std::vector<Want>& wants, const std::vector<Room>& rooms,
                        const Seat& seat) {
  if (!has_index(wants, seat.want)) return fmt::format("a seat names want {}", seat.want);
  const auto& accepts = item(wants, seat.want).accepts;
  if (has_index(accepts, seat.room) && contains(item(accepts, seat.room), seat.offer)) return {};
  const Room& room = item(rooms, seat.room);
  return on(room, "want {} does not accept {}", seat.want, item(room.offers, seat.offer).type);
}

std::string broken_counts(const std::vector<Want>& wants, const Layout& layout) {
  for (int w = 0; has_index(wants, w); ++w) {
    const auto seats = std::ranges::count(layout.seats, w, &Seat::want);
    const int wanted = std::max(0, item(wants, w).count);
    if (seats != wanted) return fmt::format("want {} has {} seats, not {}", w, seats, wanted);
  }
  return {};
}

std::string broken_move(const std::vector<Room>& rooms, const Move& move) {
  if (!has_index(rooms, move.room)) return fmt::format("a move is from card {}", move.room);
  const Room& from = item(rooms, move.room);
  if (!has_index(from.taken, move.taken)) return on(from, "slice {} moves: unknown", move.taken);
  const Taken& taken = item(from.taken, move.taken);
  if (!taken.movable) return on(from, "slice {} moves, and is not movable", move.taken);
  if (!has_index(from.offers, taken.offer)) return on(from, "slice {} has no offer", move.taken);
  if (move.to.want != -1) return on(from, "slice {} moves for want {}", move.taken, move.to.want);
  if (std::string broken = broken_seat(rooms, move.to); !broken.empty()) return broken;
  const Offer& now = item(from.offers, taken.offer);
  const Offer& then = item(item(rooms, move.to.room).offers, move.to.offer);
  if (now.type == then.type && now.framebuffer_bytes == then.framebuffer_bytes) return {};
  return on(from, "slice {} moves and changes from {} to {}", move.taken, now.type, then.type);
}

std::string broken_names(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                         const Layout& layout) {
  for (const Seat& seat : layout.seats) {
    if (std::string broken = broken_seat(rooms, seat); !broken.empty()) return broken;
    if (std::string broken = broken_want(wants, rooms, seat); !broken.empty()) return broken;
  }
  if (std::string broken = broken_counts(wants, layout); !broken.empty()) return broken;
  std::set<std::pair<int, int>> moved;
  for (const Move& move : layout.moves) {
    if (std::string broken = broken_move(rooms, move); !broken.empty()) return broken;
    if (!moved.emplace(move.room, move.taken).second) {
      return on(item(rooms, move.room), "slice {} moves twice", move.taken);
    }
  }
  std::set<int> with_new;
  for (const NewInstances& made : layout.instances) {
    if (!has_index(rooms, made.room)) {
      return fmt::format("GPU instances are made on card {}", made.room);
    }
    if (!with_new.insert(made.room).second) {
      return on(item(rooms, made.room), "its new GPU instances are named twice");
    }
  }
  return {};
}

std::vector<After> cards_after(const std::vector<Room>& rooms, const Layout& layout) {
  std::vector<After> all;
  for (const Room& room : rooms) all.push_back({&room, {}, room.instances, room.instances.size()});
  std::set<std::pair<int, int>> moved;
  for (const Move& move : layout.moves) moved.emplace(move.room, move.taken);
  for (std::size_t r = 0; r < rooms.size(); ++r) {
    for (std::size_t t = 0; t < rooms[r].taken.size(); ++t) {
      if (moved.contains({static_cast<int>(r), static_cast<int>(t)})) continue;
      const Taken& taken = rooms[r].taken[t];
      all[r].slices.push_back({taken.offer, taken.start, taken.instance, false});
    }
  }
  const auto add = [&](const Seat& seat) {
    After& card = all[static_cast<std::size_t>(seat.room)];
    card.slices.push_back({seat.offer, seat.start, seat.instance, true});
    card.gets_something = true;
  };
  for (const Seat& seat : layout.seats) add(seat);
  for (const Move& move : layout.moves) add(move.to);
  for (const NewInstances& made : layout.instances) {
    After& card = all[static_cast<std::size_t>(made.room)];
    card.instances.insert(card.instances.end(), made.instances.begin(), made.instances.end());
    card.gets_something = true;
  }
  return all;
}

// The rules of one card.

std::string broken_numbers(const After& card) {
  const Room& room = *card.room;
  for (const Standing& slice : card.slices) {
    if (!has_index(room.offers, slice.offer)) return on(room, "a slice of it has no offer");
  }
  if (std::cmp_greater(card.slices.size(), std::max(0, room.max_slices))) {
    return on(room, "{} slices, and {} are allowed", card.slices.size(), room.max_slices);
  }
  for (int o = 0; has_index(room.offers, o); ++o) {
    const auto count = std::ranges::count(card.slices, o, &Standing::offer);
    const Offer& offer = item(room.offers, o);
    if (count > 0 && count > offer.max_instances) {
      return on(room, "{} of {}, and {} are allowed", count, offer.type, offer.max_instances);
    }
  }
  return {};
}

std::string broken_sums(const After& card) {
  const Room& room = *card.room;
  Sum framebuffer;
  for (const Standing& slice : card.slices) framebuffer.add(card.offer(slice).framebuffer_bytes);
  if (room.framebuffer_bytes != 0 && framebuffer.exceeds(room.framebuffer_bytes)) {
    return on(room, "{} bytes of framebuffer, and it has {}", framebuffer.bytes(),
              room.framebuffer_bytes);
  }
  for (std::size_t b = 0; b < room.budgets.size(); ++b) {
    Sum need;
    for (const Standing& slice : card.slices) {
      const auto& needs = card.offer(slice).needs;
      if (b < needs.size()) need.add(needs[b]);
    }
    if (need.exceeds(room.budgets[b])) {
      return on(room, "{} of budget {}, and it has {}", need.bytes(), b, room.budgets[b]);
    }
  }
  return {};
}

std::string broken_sizes(const After& card) {
  if (card.room->rule == SizeRule::mixed) return {};
  std::map<int, std::uint64_t> size_in;  // by GPU instance; -1 for the card itself
  for (const Standing& slice : card.slices) {
    const Offer& offer = card.offer(slice);
    const int where = offer.gpu_instance >= 0 ? slice.instance : -1;
    const auto [found, is_first] = size_in.emplace(where, offer.framebuffer_bytes);
    if (!is_first && found->second != offer.framebuffer_bytes) {
      return on(*card.room, "slices of {} and {} bytes, and sizes have to be equal", found->second,
                offer.framebuffer_bytes);
    }
  }
  return {};
}

/// Puts a region among others; false where it leaves the whole or overlaps one.
bool take_region(std::set<std::pair<long, long>>& regions, long start, long length, long whole) {
  if (start < 0 || length <= 0 || start + length > whole) return false;
  for (const auto& [other_start, other_end] : regions) {
    if (start < other_end && other_start < start + length) return false;
  }
  regions.emplace(start, start + length);
  return true;
}

std::string broken_placements(const After& card) {
  const Room& room = *card.room;
  std::set<std::pair<long, long>> regions;
  for (const Standing& slice : card.slices) {
    const Offer& offer = card.offer(slice);
    if (offer.length <= 0 || offer.gpu_instance >= 0) {
      if (slice.is_new && slice.start) return on(room, "{} has no placements", offer.type);
      continue;
    }
    if (!slice.start) return on(room, "the placement of a {} is not known", offer.type);
    if (slice.is_new && !contains(offer.starts, *slice.start)) {
      return on(room, "{} cannot be placed at {}", offer.type, *slice.start);
    }
    if (!take_region(regions, *slice.start, offer.length, room.units)) {
      return on(room, "{} at {} overlaps another, or leaves the region", offer.type, *slice.start);
    }
  }
  return {};
}

std::string broken_gpu_instances(const After& card) {
  const Room& room = *card.room;
  std::set<std::pair<long, long>> regions;
  std::map<int, int> of_kind;
  for (std::size_t i = 0; i < card.instances.size(); ++i) {
    const GpuInstance& instance = card.instances[i];
    if (!has_index(room.gpu_instances, instance.kind)) {
      return on(room, "a GPU instance of kind {}", instance.kind);
    }
    const GpuInstanceKind& kind = item(room.gpu_instances, instance.kind);
    if (++of_kind[instance.kind] > kind.max_instances) {
      return on(room, "more GPU instances {} than {}", kind.name, kind.max_instances);
    }
    if (i >= card.old_instances && !contains(kind.starts, instance.start)) {
      return on(room, "a GPU instance {} cannot start at {}", kind.name, instance.start);
    }
    if (!take_region(regions, instance.start, kind.length, room.memory_slices)) {
      return on(room, "GPU instance {} at {} overlaps another, or leaves the region", kind.name,
                instance.start);
    }
  }
  return {};
}

std::string broken_inside_instances(const After& card) {
  const Room& room = *card.room;
  std::map<int, std::pair<int, Sum>> inside;
  for (const Standing& slice : card.slices) {
    const Offer& offer = card.offer(slice);
    if (offer.gpu_instance < 0) {
      if (slice.is_new && slice.instance != -1) {
        return on(room, "{} does not stand in a GPU instance", offer.type);
      }
      continue;
    }
    if (!has_index(card.instances, slice.instance) ||
        item(card.instances, slice.instance).kind != offer.gpu_instance) {
      return on(room, "{} stands in no GPU instance of its kind", offer.type);
    }
    const GpuInstanceKind& kind = item(room.gpu_instances, offer.gpu_instance);
    auto& [slices, framebuffer] = inside[slice.instance];
    framebuffer.add(offer.framebuffer_bytes);
    if (++slices > kind.max_slices) {
      return on(room, "{} slices in a GPU instance {}, which holds {}", slices, kind.name,
                kind.max_slices);
    }
    if (kind.framebuffer_bytes != 0 && framebuffer.exceeds(kind.framebuffer_bytes)) {
      return on(room, "{} bytes in a GPU instance {}, which has {}", framebuffer.bytes(), kind.name,
                kind.framebuffer_bytes);
    }
  }
  return {};
}

}  // namespace

std::string broken_rule(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                        const Layout& layout) {
  if (std::string broken = broken_names(rooms, wants, layout); !broken.empty()) return broken;
  for (const After& card : cards_after(rooms, layout)) {
    if (!card.gets_something) continue;  // what stands there, or was taken away, breaks nothing
    for (const auto& rule : {broken_numbers, broken_sums, broken_sizes, broken_gpu_instances,
                             broken_inside_instances, broken_placements}) {
      if (std::string broken = rule(card); !broken.empty()) return broken;
    }
  }
  return {};
}

}  // namespace tessera::plan::slices
