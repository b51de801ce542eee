// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "plan/slices/layout/cover.h"

namespace tessera::plan::slices {

/// Cards that have the same choices.
struct EqualCards {
  const std::vector<Choice>* choices = nullptr;
  int cards = 0;
};

/// What a slice of each class is worth, at which covering the demand is dearest: the prices of the
/// linear program in which cards may be cut in parts. Any prices of at least 0 give a true bound,
/// so that rounding in here costs sharpness and nothing else. `missing_cost` by class is what a
/// slice left out costs; no price is higher.
std::vector<double> dearest_prices(const std::vector<EqualCards>& cards,
                                   const std::vector<int>& demand,
                                   const std::vector<double>& missing_cost, bool with_costs);

}  // namespace tessera::plan::slices
