// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "plan/slices/layout/card_graph.h"
#include "plan/slices/layout/layout.h"

namespace tessera::plan::slices {

/// Numbers of slices by class that one card can hold, and the least that this costs.
struct Pattern {
  std::vector<int> counts;           ///< by class, those of movable slices that stay too
  std::uint64_t stranded_bytes = 0;  ///< the least with these counts
  int staying = 0;            ///< movable slices that stay where they are, the most with that
  bool as_it_stands = false;  ///< the card breaks a rule: what is left on it is not looked at
};

/// All patterns of a card with counts up to `most` (by class), in descending order of counts:
/// exact, each once. Never empty: a card can always hold nothing new.
std::vector<Pattern> card_patterns(const CardQuestion& question, const std::vector<int>& most);

/// A slice as it is seated on one card.
struct SeatOnCard {
  Column column;
  std::optional<int> start;
  int instance = -1;  ///< as in Seat
  int taken = -1;     ///< the movable slice that stays there; -1: it is made anew
};

struct CardSeats {
  std::vector<SeatOnCard> seats;  ///< by class, then as accepted, then instance, then start
  std::vector<GpuInstance> new_instances;
};

/// The seats for one of the card's patterns, by points 4 and 5 of find_layout's order.
CardSeats card_seats(const CardQuestion& question, const Pattern& pattern);

}  // namespace tessera::plan::slices
