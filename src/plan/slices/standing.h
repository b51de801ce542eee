// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "plan/slices/layout/layout.h"

namespace tessera::plan::slices {

/// Numbers of framebuffer and budgets stop at the largest there is instead of wrapping around.
std::uint64_t add_up_to_limit(std::uint64_t a, std::uint64_t b);

/// What an offer needs of a budget; offers may say less than there are budgets.
std::uint64_t need_of(const Offer& offer, std::size_t budget);

/// What slices that stay on a card use of it.
struct Standing {
  bool holds = true;  ///< by all rules; where it is false the other fields may be unfinished
  int slices = 0;
  std::uint64_t framebuffer_bytes = 0;
  std::vector<int> of_offer;           ///< slices, by offer
  std::vector<std::uint64_t> budgets;  ///< used, by budget
  std::optional<std::uint64_t> size;   ///< of those outside GPU instances, under equal sizes
  std::vector<std::pair<int, int>> intervals;  ///< placements, start and end; by start
  struct InInstance {
    int slices = 0;
    std::uint64_t framebuffer_bytes = 0;
    std::optional<std::uint64_t> size;  ///< under equal sizes
  };
  std::vector<InInstance> instances;  ///< by index in Room::instances
  std::vector<int> of_kind;           ///< GPU instances, by kind
};

/// `stays` says of each slice in Room::taken whether it is counted.
Standing standing_of(const Room& room, const std::vector<bool>& stays);

}  // namespace tessera::plan::slices
