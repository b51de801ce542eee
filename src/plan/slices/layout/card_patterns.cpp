// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/layout/card_patterns.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <tuple>
#include <utility>

#include "plan/slices/layout/card_paths.h"
#include "plan/slices/layout/index.h"
#include "plan/slices/standing.h"

namespace tessera::plan::slices {
namespace {

/// The class that a slice on the card is counted in; -1: it stays where it is in any case.
int class_of_taken(const CardQuestion& question, const Taken& taken) {
  if (question.moves == Moves::none || !taken.movable) return -1;
  for (const Column& column : question.columns) {
    if (column.slice_class >= question.want_classes && column.offer == taken.offer) {
      return column.slice_class;
    }
  }
  return -1;
}

/// Framebuffer and number of the slices that stay in any case.
struct Fixed {
  std::uint64_t framebuffer_bytes = 0;
  int slices = 0;
};

Fixed fixed_on(const CardQuestion& question) {
  Fixed fixed;
  for (const Taken& taken : question.room->taken) {
    if (class_of_taken(question, taken) >= 0) continue;
    ++fixed.slices;
    if (taken.offer < 0 || at(taken.offer) >= question.room->offers.size()) continue;
    fixed.framebuffer_bytes = add_up_to_limit(
        fixed.framebuffer_bytes, question.room->offers[at(taken.offer)].framebuffer_bytes);
  }
  return fixed;
}

std::uint64_t stranded_on(const Room& room, bool holds_slices, std::uint64_t used) {
  return holds_slices && room.framebuffer_bytes > used ? room.framebuffer_bytes - used : 0;
}

bool holds(const std::vector<int>& counts) {
  return std::ranges::any_of(counts, [](int n) { return n > 0; });
}

/// Better first; of equal counts the better pattern stays.
void sort_and_thin(std::vector<Pattern>& patterns) {
  std::ranges::sort(patterns, [](const Pattern& a, const Pattern& b) {
    if (a.counts != b.counts) return a.counts > b.counts;
    return std::tuple(a.stranded_bytes, -a.staying, !a.as_it_stands) <
           std::tuple(b.stranded_bytes, -b.staying, !b.as_it_stands);
  });
  const auto rest = std::ranges::unique(
      patterns, [](const Pattern& a, const Pattern& b) { return a.counts == b.counts; });
  patterns.erase(rest.begin(), rest.end());
}

/// A card that breaks a rule as it stands keeps what it has, or some of that; what it strands is
/// not counted then.
void add_leftovers(const CardQuestion& question, const std::vector<int>& most,
                   std::vector<Pattern>& patterns) {
  const Room& room = *question.room;
  if (standing_of(room, std::vector<bool>(room.taken.size(), true)).holds) return;
  std::vector<int> own(most.size());
  for (const Taken& taken : room.taken) {
    const int slice_class = class_of_taken(question, taken);
    if (slice_class >= 0) ++own[at(slice_class)];
  }
  for (std::vector<int> counts(most.size());;) {
    patterns.push_back({counts, 0, std::accumulate(counts.begin(), counts.end(), 0), true});
    std::size_t c = 0;
    while (c < counts.size() && counts[c] == own[c]) counts[c++] = 0;
    if (c == counts.size()) return;
    ++counts[c];
  }
}

CardSeats seats_of(const CardQuestion& question, const std::vector<const Step*>& steps) {
  CardSeats found;
  std::vector<std::pair<GpuInstance, std::vector<std::size_t>>> made;
  int instance = -1;
  bool in_new = false;
  for (const Step* step : steps) {
    if (step->instance >= 0 || step->new_kind >= 0) {
      instance = step->instance;
      in_new = step->new_kind >= 0;
      if (in_new) made.push_back({{step->new_kind, step->start.value_or(0)}, {}});
    }
    if (step->column < 0) continue;
    const Column& column = question.columns[at(step->column)];
    const bool in_instance = question.room->offers[at(column.offer)].gpu_instance >= 0;
    if (in_instance && in_new) made.back().second.push_back(found.seats.size());
    found.seats.push_back(
        {column, step->start, in_instance && !in_new ? instance : -1, step->taken});
  }
  for (const auto& [region, seats] : made) {
    if (seats.empty()) continue;
    const auto number = question.room->instances.size() + found.new_instances.size();
    for (const std::size_t seat : seats) found.seats[seat].instance = static_cast<int>(number);
    found.new_instances.push_back(region);
  }
  return found;
}

/// Where a card that breaks a rule keeps slices: the first ones of each class.
CardSeats leftover_seats(const CardQuestion& question, std::vector<int> counts) {
  CardSeats found;
  const Room& room = *question.room;
  for (std::size_t t = 0; t < room.taken.size(); ++t) {
    const int slice_class = class_of_taken(question, room.taken[t]);
    if (slice_class < 0 || counts[at(slice_class)]-- <= 0) continue;
    found.seats.push_back({{slice_class, room.taken[t].offer},
                           room.taken[t].start,
                           room.taken[t].instance,
                           static_cast<int>(t)});
  }
  return found;
}

void sort_seats(const CardQuestion& question, CardSeats& found) {
  const auto order = [&](const SeatOnCard& seat) {
    const auto column = std::ranges::find(question.columns, seat.column);
    return std::tuple(column - question.columns.begin(), seat.instance, seat.start.value_or(-1));
  };
  std::ranges::stable_sort(found.seats, {}, order);
}

/// Counters for a search of seats: columns with a fixed number have one each, the column that is
/// next has one, and all later columns of a class share one.
struct Counters {
  std::vector<int> of_column;
  std::vector<int> limit_of;  ///< by counter: an index in `limits`, which counters may share
  std::vector<int> limits;

  int add(int limit) {
    limit_of.push_back(limit);
    return static_cast<int>(limit_of.size()) - 1;
  }
  int add_limit(int most) {
    limits.push_back(most);
    return static_cast<int>(limits.size()) - 1;
  }
};

Counters counters_for(const CardQuestion& question, const std::vector<int>& counts,
                      const std::vector<int>& fixed) {
  const auto next = fixed.size();
  Counters counters;
  counters.limits = counts;
  std::vector<int> shared(counts.size(), -1);
  for (std::size_t i = 0; i < question.columns.size(); ++i) {
    const std::size_t c = at(question.columns[i].slice_class);
    if (i < next) {
      counters.limits[c] -= fixed[i];
      counters.of_column.push_back(counters.add(counters.add_limit(fixed[i])));
    } else if (i == next) {
      counters.of_column.push_back(counters.add(static_cast<int>(c)));
    } else {
      if (shared[c] < 0) shared[c] = counters.add(static_cast<int>(c));
      counters.of_column.push_back(shared[c]);
    }
  }
  return counters;
}

/// Whether all limits are reached; counters never exceed them.
bool reaches(const int* vector, const Counters& counters) {
  std::vector<int> left = counters.limits;
  for (std::size_t i = 0; i < counters.limit_of.size(); ++i) {
    left[at(counters.limit_of[i])] -= vector[i];
  }
  return !holds(left);
}

/// The best path to all limits with the most slices of the column that is next.
struct Found {
  int of_next = 0;
  CardSeats seats;
};

Found best_path(const CardQuestion& question, const std::vector<CardGraph>& graphs,
                const Counters& counters, std::size_t next) {
  CounterVectors vectors(counters.limit_of, counters.limits);
  std::deque<CardPaths> all;
  const CardPaths* best_in = nullptr;
  CardPaths::Path best;
  const auto of_next = [&](const CardPaths::Path& path) {
    return next < question.columns.size()
               ? vectors.counts(path.vector)[at(counters.of_column[next])]
               : 0;
  };
  const auto rank = [&](const CardPaths::Path& path) {
    return std::tuple(path.framebuffer_bytes, path.staying, of_next(path), -path.penalty);
  };
  for (const CardGraph& graph : graphs) {
    const CardPaths& paths = all.emplace_back(graph, vectors, counters.of_column);
    for (const CardPaths::Path& path : paths.best()) {
      if (!reaches(vectors.counts(path.vector), counters)) continue;
      if (best_in != nullptr && rank(path) <= rank(best)) continue;
      best = path;
      best_in = &paths;
    }
  }
  if (best_in == nullptr) return {};
  return {of_next(best), seats_of(question, best_in->steps(best))};
}

/// Fixes the number of each column in turn, at the most with which the rest is still as good.
CardSeats best_seats(const CardQuestion& question, const std::vector<int>& counts) {
  const std::vector<CardGraph> graphs = card_graphs(question);
  std::vector<int> fixed;
  std::vector<int> left = counts;
  while (fixed.size() < question.columns.size()) {
    const std::size_t i = fixed.size();
    const std::size_t c = at(question.columns[i].slice_class);
    const bool is_last =
        i + 1 == question.columns.size() || at(question.columns[i + 1].slice_class) != c;
    int number = left[c];
    if (!is_last && number > 0) {
      number = best_path(question, graphs, counters_for(question, counts, fixed), i).of_next;
    }
    fixed.push_back(number);
    left[c] -= number;
  }
  return best_path(question, graphs, counters_for(question, counts, fixed), fixed.size()).seats;
}

}  // namespace

std::vector<Pattern> card_patterns(const CardQuestion& question, const std::vector<int>& most) {
  const Room& room = *question.room;
  const Fixed fixed = fixed_on(question);
  std::vector<int> class_of(most.size());
  for (std::size_t c = 0; c < most.size(); ++c) class_of[c] = static_cast<int>(c);
  std::vector<int> counter_of;
  for (const Column& column : question.columns) counter_of.push_back(column.slice_class);
  std::vector<Pattern> patterns;
  CounterVectors vectors(class_of, most);
  for (const CardGraph& graph : card_graphs(question)) {
    const CardPaths paths(graph, vectors, counter_of);
    for (const CardPaths::Path& path : paths.best()) {
      const int* counts = vectors.counts(path.vector);
      Pattern pattern{{counts, counts + most.size()}, 0, path.staying, false};
      const bool holds_slices = fixed.slices > 0 || holds(pattern.counts);
      const auto used = add_up_to_limit(fixed.framebuffer_bytes, path.framebuffer_bytes);
      pattern.stranded_bytes = stranded_on(room, holds_slices, used);
      patterns.push_back(std::move(pattern));
    }
  }
  add_leftovers(question, most, patterns);
  sort_and_thin(patterns);
  return patterns;
}

CardSeats card_seats(const CardQuestion& question, const Pattern& pattern) {
  CardSeats found = pattern.as_it_stands ? leftover_seats(question, pattern.counts)
                                         : best_seats(question, pattern.counts);
  sort_seats(question, found);
  return found;
}

}  // namespace tessera::plan::slices
