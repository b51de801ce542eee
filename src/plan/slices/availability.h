// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/slice.h"

namespace tessera::plan::slices {

/// What can be made of one profile now.
struct Availability {
  const model::Profile* profile = nullptr;
  /// By the kernel's own count, this moment; where that only tells what fits next, by the rules
  /// that are known.
  int now = 0;
  /// That `tessera slice` can make: as many, or more where it makes the GPU instances for them.
  int possible = 0;
  std::string why_not;  ///< one sentence where `now` is 0; empty otherwise
};

/// Every profile of a source, in its order, with the reason for each that cannot be made. The
/// reasons come from what stands on the card: sizes that differ, a card that is full, virtual
/// functions that are off, GPU instances that are missing.
std::vector<Availability> availability_of(const model::SliceSource& source);

/// What stands on a source, for sentences: "2x GRID V100-8C, 1x GRID V100-8Q"; "nothing".
std::string standing_on(const model::SliceSource& source);

/// The GPU instances of a card in MIG mode, likewise: "2x 1g.5gb, 1x 3g.20gb"; "none".
std::string instances_on(const model::SliceSource& source);

/// How a framework is called in sentences: "mediated devices on the card".
std::string in_words(model::Framework framework);

}  // namespace tessera::plan::slices
