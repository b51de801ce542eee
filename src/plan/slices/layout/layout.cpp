// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/layout/layout.h"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "plan/slices/layout/card_patterns.h"
#include "plan/slices/layout/cover.h"
#include "plan/slices/layout/demand.h"
#include "plan/slices/layout/index.h"

namespace tessera::plan::slices {
namespace {

/// A card with what may go on it; equal ones are worked out once.
struct CardKind {
  CardQuestion question;
  std::vector<Pattern> patterns;
  std::vector<Choice> choices;             ///< of `patterns`, in their order
  std::map<std::size_t, CardSeats> seats;  ///< by pattern, those that were asked for

  const CardSeats& seats_of(std::size_t pattern) {
    const auto found = seats.find(pattern);
    if (found != seats.end()) return found->second;
    return seats.emplace(pattern, card_seats(question, patterns[pattern])).first->second;
  }
};

/// Everything but the name.
bool same_rules(const Room& a, const Room& b) {
  return a.rule == b.rule && a.framebuffer_bytes == b.framebuffer_bytes &&
         a.max_slices == b.max_slices && a.units == b.units && a.budgets == b.budgets &&
         a.gpu_instances == b.gpu_instances && a.memory_slices == b.memory_slices &&
         a.instances == b.instances && a.offers == b.offers && a.taken == b.taken;
}

class Search {
 public:
  Search(const std::vector<Room>& rooms, const std::vector<Want>& wants, Moves moves)
      : rooms_(rooms), wants_(wants), moves_(moves), demand_(demand_of(rooms, wants, moves)) {
    for (std::size_t r = 0; r < rooms.size(); ++r) kinds_of_.push_back(kind_of(r));
    make_costs();
  }

  std::variant<Layout, Impossible> run() {
    Cover cover(choices(), demand_.counts(), std::vector(demand_.classes.size(), Cover::never));
    const std::int64_t cost = cover.least_cost();
    if (cost == Cover::never) return impossible();
    return layout(first_at_cost(cover, cost));
  }

 private:
  // The cards.

  std::size_t kind_of(std::size_t room) {
    CardQuestion question{&rooms_[room], columns(room), demand_.want_classes, moves_};
    for (std::size_t k = 0; k < kinds_.size(); ++k) {
      if (kinds_[k].question.columns == question.columns &&
          same_rules(*kinds_[k].question.room, rooms_[room])) {
        return k;
      }
    }
    CardKind& kind = kinds_.emplace_back();
    kind.question = std::move(question);
    kind.patterns = card_patterns(kind.question, demand_.counts());
    return kinds_.size() - 1;
  }

  [[nodiscard]] std::vector<Column> columns(std::size_t room) const {
    std::vector<Column> all;
    for (std::size_t c = 0; c < demand_.classes.size(); ++c) {
      for (const int offer : demand_.classes[c].accepts[room]) {
        all.push_back({static_cast<int>(c), offer});
      }
    }
    return all;
  }

  [[nodiscard]] int moving(const std::vector<int>& counts) const {
    return std::accumulate(counts.begin() + demand_.want_classes, counts.end(), 0);
  }

  /// One number for what is stranded and what moves: moves weigh less than the least difference in
  /// framebuffer. In units that all framebuffer is a multiple of, sums stay far below 2^52. A move
  /// is counted where the slice is made anew: so a card that holds fewer slices never costs more,
  /// which Cover relies on.
  void make_costs() {
    std::uint64_t unit = 0;
    const std::int64_t movable = moving(demand_.counts());
    for (const CardKind& kind : kinds_) {
      for (const Pattern& p : kind.patterns) unit = std::gcd(unit, p.stranded_bytes);
    }
    for (CardKind& kind : kinds_) {
      for (const Pattern& p : kind.patterns) {
        const std::uint64_t stranded = unit == 0 ? 0 : p.stranded_bytes / unit;
        const std::int64_t moved = moving(p.counts) - p.staying;
        kind.choices.push_back(
            {p.counts, static_cast<std::int64_t>(stranded) * (movable + 1) + moved});
      }
    }
  }

  [[nodiscard]] std::vector<const std::vector<Choice>*> choices() const {
    std::vector<const std::vector<Choice>*> all;
    for (const std::size_t k : kinds_of_) all.push_back(&kinds_[k].choices);
    return all;
  }

  // The first of the best: by card the highest counts after which the rest is still as cheap.

  std::vector<std::size_t> first_at_cost(Cover& cover, std::int64_t budget) {
    std::vector<std::size_t> chosen;
    std::vector<int> rest = demand_.counts();
    for (std::size_t r = 0; r < rooms_.size(); ++r) {
      const std::vector<Choice>& list = kinds_[kinds_of_[r]].choices;
      for (std::size_t p = 0; p < list.size(); ++p) {
        const std::optional<std::vector<int>> left = after(rest, list[p].counts);
        if (!left || !cover.within(r + 1, *left, budget - list[p].cost)) continue;
        chosen.push_back(p);
        budget -= list[p].cost;
        rest = *left;
        break;
      }
    }
    return chosen;
  }

  static std::optional<std::vector<int>> after(std::vector<int> rest,
                                               const std::vector<int>& counts) {
    for (std::size_t c = 0; c < rest.size(); ++c) {
      rest[c] -= counts[c];
      if (rest[c] < 0) return std::nullopt;
    }
    return rest;
  }

  // From numbers to seats.

  /// What is still to be given out while cards are gone over in their order.
  struct Handout {
    std::vector<std::deque<int>> owners;     ///< by class: the want of each slice not yet seated
    std::vector<std::deque<Seat>> moved_to;  ///< by class: seats for slices that move
    std::vector<std::vector<bool>> stays;    ///< by card and Room::taken
  };

  Layout layout(const std::vector<std::size_t>& chosen) {
    Layout found;
    Handout handout;
    for (const SliceClass& c : demand_.classes) {
      std::deque<int>& list = handout.owners.emplace_back();
      for (const int want : c.wants) list.insert(list.end(), at(wants_[at(want)].count), want);
    }
    handout.moved_to.resize(demand_.classes.size());
    for (std::size_t r = 0; r < rooms_.size(); ++r) {
      CardKind& kind = kinds_[kinds_of_[r]];
      found.stranded_bytes += kind.patterns[chosen[r]].stranded_bytes;
      const CardSeats& on_card = kind.seats_of(chosen[r]);
      if (!on_card.new_instances.empty()) {
        found.instances.push_back({static_cast<int>(r), on_card.new_instances});
      }
      handout.stays.emplace_back(rooms_[r].taken.size());
      for (const SeatOnCard& seat : on_card.seats) {
        give_out(static_cast<int>(r), seat, handout, found);
      }
    }
    add_moves(handout, found);
    std::ranges::stable_sort(found.seats, {}, &Seat::want);
    return found;
  }

  void give_out(int room, const SeatOnCard& seat, Handout& handout, Layout& found) const {
    const int c = seat.column.slice_class;
    Seat made{-1, room, seat.column.offer, seat.start, seat.instance};
    if (seat.taken >= 0) {
      handout.stays[at(room)][at(seat.taken)] = true;
    } else if (c >= demand_.want_classes) {
      handout.moved_to[at(c)].push_back(made);
    } else {
      made.want = handout.owners[at(c)].front();
      handout.owners[at(c)].pop_front();
      found.seats.push_back(made);
    }
  }

  void add_moves(Handout& handout, Layout& found) const {
    for (std::size_t r = 0; r < rooms_.size(); ++r) {
      for (std::size_t t = 0; t < rooms_[r].taken.size(); ++t) {
        const Taken& taken = rooms_[r].taken[t];
        if (handout.stays[r][t] || !may_move(rooms_[r], taken, moves_)) continue;
        const int c = demand_.moving_class(static_cast<int>(r), taken.offer);
        std::deque<Seat>& seats = handout.moved_to[at(c)];
        found.moves.push_back({static_cast<int>(r), static_cast<int>(t), seats.front()});
        seats.pop_front();
      }
    }
  }

  // Why there is none.

  Impossible impossible() {
    Impossible answer;
    for (std::size_t w = 0; w < wants_.size(); ++w) {
      if (wants_[w].count <= 0) continue;
      const int fit = most(static_cast<int>(w));
      if (fit >= wants_[w].count) continue;
      answer.want = static_cast<int>(w);
      answer.most = fit;
      answer.reason =
          fmt::format("{} {} wanted, and the cards have room for {}, even with nothing else wanted",
                      wants_[w].count, wants_[w].count == 1 ? "slice is" : "slices are",
                      fit == 0 ? "none" : fmt::format("{} of them", fit));
      return answer;
    }
    answer.most = most(-1);
    const int all = std::accumulate(wants_.begin(), wants_.end(), 0, [](int sum, const Want& want) {
      return sum + std::max(0, want.count);
    });
    answer.reason = fmt::format(
        "each kind of slice alone fits, but of all {} together the cards have room for {}", all,
        answer.most);
    return answer;
  }

  /// How many slices of one want fit when nothing else is wanted; of all wants for -1.
  int most(int want) {
    std::vector<int> counts = demand_.counts();
    std::vector<std::int64_t> missing_cost(counts.size(), Cover::never);
    int asked = 0;
    for (std::size_t c = 0; c < at(demand_.want_classes); ++c) {
      const std::vector<int>& wants = demand_.classes[c].wants;
      missing_cost[c] = 1;
      if (want >= 0) {
        const bool is_of = std::ranges::find(wants, want) != wants.end();
        counts[c] = is_of ? wants_[at(want)].count : 0;
      }
      asked += counts[c];
    }
    std::deque<std::vector<Choice>> free;
    std::vector<const std::vector<Choice>*> by_card;
    for (const CardKind& kind : kinds_) {
      free.push_back(kind.choices);
      for (Choice& choice : free.back()) choice.cost = 0;
    }
    for (const std::size_t k : kinds_of_) by_card.push_back(&free[k]);
    const std::int64_t missing =
        Cover(by_card, std::move(counts), std::move(missing_cost)).least_cost();
    return missing == Cover::never ? 0 : asked - static_cast<int>(missing);
  }

  const std::vector<Room>& rooms_;
  const std::vector<Want>& wants_;
  Moves moves_;
  Demand demand_;
  std::deque<CardKind> kinds_;
  std::vector<std::size_t> kinds_of_;  ///< by room
};

}  // namespace

std::variant<Layout, Impossible> find_layout(const std::vector<Room>& rooms,
                                             const std::vector<Want>& wants, Moves moves) {
  return Search(rooms, wants, moves).run();
}

}  // namespace tessera::plan::slices
