// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "plan/slices/layout/layout.h"

// For tests: the layout problem by trying everything. Slow, short, and written from layout.h alone.

namespace tessera::plan::slices::brute {

/// A slice on a card; its GPU instance is known by where that starts.
struct Slice {
  int offer = 0;
  std::optional<int> start;
  std::optional<int> instance_start;
  int taken = -1;  ///< an old one; -1: new
  int slice_class = -1;
  auto operator<=>(const Slice&) const = default;
};

struct Card {
  std::vector<Slice> slices;
  std::map<int, int> instances;  ///< kind by start
  bool gets_something = false;
};

/// Better is less: stranded, moves, counts (negative) by card and class, then by card and column,
/// then by card new instances and sum of placement ids.
struct Score {
  std::uint64_t stranded = 0;
  int moves = 0;
  std::vector<int> rest;
  auto operator<=>(const Score&) const = default;
};

class Solver {
 public:
  Solver(const std::vector<Room>& rooms, const std::vector<Want>& wants, Moves moves)
      : rooms_(rooms), may_move_(moves == Moves::allowed), furthest_(rooms.size()) {
    for (const Want& want : wants) add_want(want);
    want_classes_ = classes_.size();
    for (std::size_t r = 0; r < rooms.size(); ++r) {
      cards_.push_back(old_card(r));
      was_broken_.push_back(!holds(rooms[r], cards_.back()));
    }
  }

  /// The score of the best layout; none when nothing fits.
  std::optional<Score> best() {
    move_away(0, 0);
    return best_;
  }

  /// The score of a layout.
  Score score_of(const Layout& layout) {
    for (const NewInstances& made : layout.instances) {
      for (const GpuInstance& i : made.instances) cards_[at(made.room)].instances[i.start] = i.kind;
    }
    std::vector<std::pair<int, int>> gone;
    for (const Move& m : layout.moves) gone.emplace_back(m.room, m.taken);
    for (std::size_t r = 0; r < cards_.size(); ++r) {
      std::erase_if(cards_[r].slices, [&](const Slice& s) {
        return std::ranges::find(gone, std::pair(static_cast<int>(r), s.taken)) != gone.end();
      });
    }
    for (const Seat& seat : layout.seats) put(layout, seat, class_of_want_.at(at(seat.want)));
    for (const Move& move : layout.moves) {
      put(layout, move.to,
          moving_class(at(move.room), rooms_[at(move.room)].taken[at(move.taken)]));
    }
    return score(static_cast<int>(layout.moves.size()));
  }

  [[nodiscard]] int slices_to_place() const {
    return std::accumulate(counts_.begin(), counts_.end(), 0);
  }

 private:
  using Accepts = std::vector<std::vector<int>>;

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  void add_want(const Want& want) {
    Accepts accepts = want.accepts;
    accepts.resize(rooms_.size());
    auto found = std::ranges::find(classes_, accepts);
    if (want.count > 0 && found == classes_.end()) {
      found = classes_.insert(classes_.end(), accepts);
      counts_.push_back(0);
    }
    class_of_want_.push_back(static_cast<int>(found - classes_.begin()));
    if (want.count > 0) counts_[at(class_of_want_.back())] += want.count;
  }

  int moving_class(std::size_t room, const Taken& taken) {
    if (!may_move_ || !taken.movable) return -1;
    const Offer& offer = rooms_[room].offers[at(taken.offer)];
    Accepts accepts(rooms_.size());
    for (std::size_t r = 0; r < rooms_.size(); ++r) {
      for (std::size_t o = 0; o < rooms_[r].offers.size(); ++o) {
        const Offer& other = rooms_[r].offers[o];
        if (other.type == offer.type && other.framebuffer_bytes == offer.framebuffer_bytes) {
          accepts[r].push_back(static_cast<int>(o));
        }
      }
    }
    for (std::size_t c = want_classes_; c < classes_.size(); ++c) {
      if (classes_[c] == accepts) return static_cast<int>(c);
    }
    classes_.push_back(accepts);
    counts_.push_back(0);
    return static_cast<int>(classes_.size()) - 1;
  }

  Card old_card(std::size_t r) {
    Card card;
    const Room& room = rooms_[r];
    for (const GpuInstance& i : room.instances) card.instances[i.start] = i.kind;
    for (std::size_t t = 0; t < room.taken.size(); ++t) {
      const Taken& taken = room.taken[t];
      Slice slice{taken.offer, taken.start, {}, static_cast<int>(t), moving_class(r, taken)};
      if (taken.instance >= 0) slice.instance_start = room.instances[at(taken.instance)].start;
      card.slices.push_back(slice);
      if (slice.slice_class >= 0) movable_.emplace_back(r, static_cast<int>(t));
    }
    return card;
  }

  void put(const Layout& layout, const Seat& seat, int slice_class) {
    Slice slice{seat.offer, seat.start, {}, -1, slice_class};
    const std::vector<GpuInstance>& old = rooms_[at(seat.room)].instances;
    if (seat.instance >= 0 && at(seat.instance) < old.size()) {
      slice.instance_start = old[at(seat.instance)].start;
    } else if (seat.instance >= 0) {
      for (const NewInstances& made : layout.instances) {
        if (made.room != seat.room) continue;
        slice.instance_start = made.instances[at(seat.instance) - old.size()].start;
      }
    }
    cards_[at(seat.room)].slices.push_back(slice);
    cards_[at(seat.room)].gets_something = true;
  }

  // The rules.

  static bool overlap(std::vector<std::pair<int, int>> all, int whole) {
    std::ranges::sort(all);
    int end = 0;
    for (const auto& [from, to] : all) {
      if (from < end || to > whole) return true;
      end = to;
    }
    return false;
  }

  static bool holds(const Room& room, const Card& card) {
    std::map<int, int> of_offer;
    std::map<int, int> of_kind;
    std::map<int, std::vector<std::uint64_t>> sizes;  // by GPU instance; -1 outside
    std::vector<std::uint64_t> used(room.budgets.size());
    std::uint64_t all = 0;
    std::vector<std::pair<int, int>> line;
    std::vector<std::pair<int, int>> regions;
    for (const auto& [start, k] : card.instances) {
      const GpuInstanceKind& kind = room.gpu_instances[at(k)];
      regions.emplace_back(start, start + kind.length);
      if (++of_kind[k] > kind.max_instances) return false;
    }
    for (const Slice& s : card.slices) {
      const Offer& offer = room.offers[at(s.offer)];
      if (++of_offer[s.offer] > offer.max_instances) return false;
      all += offer.framebuffer_bytes;
      for (std::size_t b = 0; b < offer.needs.size(); ++b) used[b] += offer.needs[b];
      sizes[offer.gpu_instance < 0 ? -1 : s.instance_start.value_or(-2)].push_back(
          offer.framebuffer_bytes);
      if (offer.gpu_instance >= 0) {
        const auto in = card.instances.find(s.instance_start.value_or(-2));
        if (in == card.instances.end() || in->second != offer.gpu_instance) return false;
      } else if (offer.length > 0) {
        if (!s.start) return false;
        line.emplace_back(*s.start, *s.start + offer.length);
      }
    }
    for (const auto& [where, bytes] : sizes) {
      if (room.rule == SizeRule::equal &&
          std::ranges::count(bytes, bytes[0]) != std::ssize(bytes)) {
        return false;
      }
      if (where < 0) continue;
      const GpuInstanceKind& kind = room.gpu_instances[at(card.instances.at(where))];
      const auto sum = std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
      if (std::ssize(bytes) > kind.max_slices) return false;
      if (kind.framebuffer_bytes != 0 && sum > kind.framebuffer_bytes) return false;
    }
    for (std::size_t b = 0; b < used.size(); ++b) {
      if (used[b] > room.budgets[b]) return false;
    }
    return std::ssize(card.slices) <= room.max_slices && !overlap(line, room.units) &&
           !overlap(regions, room.memory_slices) &&
           (room.framebuffer_bytes == 0 || all <= room.framebuffer_bytes);
  }

  /// Calls `then` for the card with one more slice of this offer, for every way to put it.
  static void each_way(const Room& room, const Card& card, int o, int slice_class,
                       const std::function<void(const Card&)>& then) {
    const Offer& offer = room.offers[at(o)];
    Card next = card;
    next.gets_something = true;
    next.slices.push_back({o, {}, {}, -1, slice_class});
    const auto go = [&] {
      if (holds(room, next)) then(next);
    };
    if (offer.gpu_instance >= 0) {
      for (const auto& [start, kind] : card.instances) {
        next.slices.back().instance_start = start;
        go();
      }
      for (const int start : room.gpu_instances[at(offer.gpu_instance)].starts) {
        if (card.instances.contains(start)) continue;
        next.instances[start] = offer.gpu_instance;
        next.slices.back().instance_start = start;
        go();
        next.instances.erase(start);
      }
    } else if (offer.length > 0) {
      for (const int start : offer.starts) {
        next.slices.back().start = start;
        go();
      }
    } else {
      go();
    }
  }

  /// The most framebuffer that the card can give further.
  std::uint64_t further(std::size_t r, const Card& card) {
    std::vector<Slice> key = card.slices;
    for (Slice& s : key) s.taken = s.slice_class = -1;
    std::ranges::sort(key);
    const auto known = furthest_[r].find({key, card.instances});
    if (known != furthest_[r].end()) return known->second;
    std::uint64_t most = 0;
    if (holds(rooms_[r], card)) {
      for (std::size_t o = 0; o < rooms_[r].offers.size(); ++o) {
        const std::uint64_t own = rooms_[r].offers[o].framebuffer_bytes;
        if (own == 0) continue;
        each_way(rooms_[r], card, static_cast<int>(o), -1,
                 [&](const Card& next) { most = std::max(most, own + further(r, next)); });
      }
    }
    furthest_[r][{key, card.instances}] = most;
    return most;
  }

  // Everything is tried.

  void move_away(std::size_t m, int moved) {
    if (m == movable_.size()) return place(0, {}, moved);
    move_away(m + 1, moved);
    const auto [r, t] = movable_[m];
    Card before = cards_[r];
    const auto found = std::ranges::find(cards_[r].slices, t, &Slice::taken);
    const int slice_class = found->slice_class;
    cards_[r].slices.erase(found);
    ++counts_[at(slice_class)];
    move_away(m + 1, moved + 1);
    --counts_[at(slice_class)];
    cards_[r] = before;
  }

  /// Places the next slice of class c, not before `last` (slices of a class are the same).
  void place(std::size_t c, std::tuple<std::size_t, Slice> last, int moved) {
    if (c == counts_.size()) {
      const Score now = score(moved);
      if (!best_ || now < *best_) best_ = now;
      return;
    }
    if (counts_[c] == 0) return place(c + 1, {}, moved);
    --counts_[c];
    for (std::size_t r = std::get<0>(last); r < rooms_.size(); ++r) {
      for (const int offer : classes_[c][r]) {
        const Card before = cards_[r];
        each_way(rooms_[r], before, offer, static_cast<int>(c), [&](const Card& next) {
          std::tuple<std::size_t, Slice> now{r, next.slices.back()};
          if (now < last) return;
          cards_[r] = next;
          place(c, now, moved);
        });
        cards_[r] = before;
      }
    }
    ++counts_[c];
  }

  Score score(int moves) {
    Score now{0, moves, {}};
    std::vector<int> by_column;
    std::vector<int> last;
    for (std::size_t r = 0; r < rooms_.size(); ++r) {
      const Card& card = cards_[r];
      const Room& room = rooms_[r];
      std::uint64_t used = 0;
      for (const Slice& s : card.slices) used += room.offers[at(s.offer)].framebuffer_bytes;
      const bool counted = card.gets_something || !was_broken_[r];
      if (counted && !card.slices.empty() && room.framebuffer_bytes > used) {
        now.stranded += room.framebuffer_bytes - used - further(r, card);
      }
      for (std::size_t c = 0; c < classes_.size(); ++c) {
        int count = 0;
        for (const int o : classes_[c][r]) {
          const auto here =
              static_cast<int>(std::ranges::count_if(card.slices, [&](const Slice& s) {
                return s.slice_class == static_cast<int>(c) && s.offer == o;
              }));
          by_column.push_back(-here);
          count += here;
        }
        now.rest.push_back(-count);
      }
      last.push_back(static_cast<int>(card.instances.size()));
      int starts = 0;
      for (const Slice& s : card.slices) starts += s.taken < 0 ? s.start.value_or(0) : 0;
      last.push_back(starts);
    }
    now.rest.insert(now.rest.end(), by_column.begin(), by_column.end());
    now.rest.insert(now.rest.end(), last.begin(), last.end());
    return now;
  }

  const std::vector<Room>& rooms_;
  bool may_move_;
  std::size_t want_classes_ = 0;
  std::vector<Accepts> classes_;
  std::vector<int> counts_;
  std::vector<int> class_of_want_;
  std::vector<Card> cards_;
  std::vector<bool> was_broken_;
  std::vector<std::pair<std::size_t, int>> movable_;
  std::vector<std::map<std::pair<std::vector<Slice>, std::map<int, int>>, std::uint64_t>> furthest_;
  std::optional<Score> best_;
};

}  // namespace tessera::plan::slices::brute
