// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "plan/slices/layout/layout.h"

namespace tessera::plan::slices {

// What the search has to seat: wants and movable slices, as classes of slices that are the same to
// every card.

/// Slices that may go to the same places.
struct SliceClass {
  int count = 0;
  std::vector<int> wants;  ///< whose slices these are, ascending; empty for a class that moves
  std::vector<std::vector<int>> accepts;  ///< by card; cleaned: in range, each once
};

struct Demand {
  std::vector<SliceClass> classes;  ///< those of wants by their first want, then those that move
  int want_classes = 0;             ///< how many of them are wants'

  [[nodiscard]] std::vector<int> counts() const;
  /// The class of a movable slice of this offer; -1 without one (nothing may move).
  [[nodiscard]] int moving_class(int room, int offer) const;
};

/// With Moves::none no slice moves, and there are classes of wants only.
Demand demand_of(const std::vector<Room>& rooms, const std::vector<Want>& wants, Moves moves);

/// Whether this one is counted in a moving class, or stays where it is.
bool may_move(const Room& room, const Taken& taken, Moves moves);

}  // namespace tessera::plan::slices
