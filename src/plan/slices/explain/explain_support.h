// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "plan/slices/explain/explain.h"

/// What the explanations of several frameworks ask of a refusal.
namespace tessera::plan::slices {

/// The card, for sentences; the file where it is not known.
inline std::string card_of(const Refusal& refusal) {
  return refusal.source ? refusal.source->device : refusal.path;
}

inline bool has_slices(const Refusal& refusal) {
  return refusal.source && !refusal.source->slices.empty();
}

inline bool log_says(const Refusal& refusal, std::string_view words) {
  return std::ranges::any_of(
      refusal.log, [&](const std::string& line) { return line.find(words) != std::string::npos; });
}

}  // namespace tessera::plan::slices
