// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "plan/slices/layout/layout.h"

namespace tessera::plan::slices {

// The rules of one card as a graph without cycles: every way to fill the card is a path from its
// first node to its last, and each step on it places at most one slice. What a path alone cannot
// know (how many of an offer, of a budget, ... there are in all) are limits that steps use up.

/// Slices of one class by one of the offers that it accepts on this card.
struct Column {
  int slice_class = 0;
  int offer = 0;
  bool operator==(const Column&) const = default;
};

struct CardQuestion {
  const Room* room = nullptr;
  std::vector<Column> columns;  ///< by class, then as accepted
  int want_classes = 0;         ///< classes from here on are of movable slices
  Moves moves = Moves::none;
};

/// One step of a path. It may end at its own node: the same step again.
struct Step {
  int to = 0;
  int column = -1;  ///< a slice of this column is placed; -1: a further one, or none
  int taken = -1;   ///< it is this movable slice that stays where it is
  std::uint64_t framebuffer_bytes = 0;  ///< placed; 0 throughout where the card's is not counted
  std::int64_t penalty = 0;             ///< of equal paths the one with the smallest sum is taken
  std::optional<int> start;             ///< placement of the slice, or of the new GPU instance
  int instance = -1;  ///< slices from here on are in this GPU instance that exists
  int new_kind = -1;  ///< slices from here on are in a new GPU instance of this kind, at `start`
  int use = -1;       ///< row of CardGraph::uses
};

struct CardGraph {
  std::vector<std::vector<Step>> nodes;          ///< steps go to later nodes or their own
  std::vector<std::uint64_t> limits;             ///< what is left for steps to use
  std::vector<std::vector<std::uint64_t>> uses;  ///< rows as long as `limits`
  /// What the steps of a path can have together; all paths keep to it by themselves unless
  /// framebuffer_binds.
  std::uint64_t framebuffer_bytes = 0;
  bool framebuffer_binds = false;
};

/// The graphs of a card: one, or under equal sizes one for each size that slices outside GPU
/// instances may have. None when what stands on it already breaks a rule.
std::vector<CardGraph> card_graphs(const CardQuestion& question);

}  // namespace tessera::plan::slices
