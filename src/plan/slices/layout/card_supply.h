// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "plan/slices/layout/card_graph.h"
#include "plan/slices/layout/layout.h"
#include "plan/slices/standing.h"

namespace tessera::plan::slices {

/// Offers that are the same to the card: further slices need not tell them apart.
struct Group {
  bool in_instance = false;
  int gpu_instance = -1;
  int length = 0;           ///< 0: no placement
  std::vector<int> starts;  ///< free ones
  std::uint64_t framebuffer_bytes = 0;
  std::vector<std::uint64_t> needs;
  std::uint64_t left = 0;  ///< instances left, over its offers
  std::uint64_t most = 0;  ///< that could be added if nothing else were
  int limit = -1;

  [[nodiscard]] bool same(const Group& other) const {
    return gpu_instance == other.gpu_instance && length == other.length && starts == other.starts &&
           framebuffer_bytes == other.framebuffer_bytes && needs == other.needs;
  }
};

/// What could be placed on a card beside what stands on it, and how much of it: the groups of its
/// offers, and the limits that the steps of its graph use up. A limit that cannot be reached is not
/// counted. Borrows the question and what stands.
class CardSupply {
 public:
  /// `size`: that of slices outside GPU instances, under equal sizes.
  CardSupply(const CardQuestion& question, const Standing& fixed,
             std::optional<std::uint64_t> size);

  /// Where each limit stands in `left`; -1: it need not be counted.
  struct Limits {
    std::vector<std::uint64_t> left;
    int slices = -1;
    std::vector<int> budgets;
    std::vector<int> offers;
    std::vector<int> kinds;  ///< of GPU instances
  };

  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] const Offer& offer(int o) const;
  [[nodiscard]] bool usable(int o) const;
  /// The group of a usable offer.
  [[nodiscard]] const Group& group_of(int o) const;
  /// There are more instances of this offer than the card can hold.
  [[nodiscard]] bool is_plenty(int o) const;
  /// Free for a slice: no fixed one stands there.
  [[nodiscard]] bool is_free(int start, int length) const;
  /// Where a new GPU instance may begin.
  [[nodiscard]] std::vector<int> free_starts(int kind) const;
  /// Some offers stand in GPU instances.
  [[nodiscard]] bool instances_matter() const;
  [[nodiscard]] std::uint64_t framebuffer_left() const;
  /// Whether the framebuffer could be exceeded although placements, or GPU instances, do not
  /// overlap.
  [[nodiscard]] bool framebuffer_may_bind() const;

 private:
  [[nodiscard]] std::uint64_t left_of(int o) const;
  [[nodiscard]] Group group_of_one(int o) const;
  void group_offers();
  [[nodiscard]] int slices_left() const;
  [[nodiscard]] int kinds_left(int kind) const;
  [[nodiscard]] int most_new(int kind) const;
  [[nodiscard]] std::uint64_t most_in_instances(int kind) const;
  /// By what they need, whatever the number of slices.
  [[nodiscard]] std::uint64_t most_by_needs(const Group& group) const;
  [[nodiscard]] std::uint64_t most_of(const Group& group) const;
  /// At most this many slices can be added, whatever they are.
  [[nodiscard]] std::uint64_t most_slices() const;
  [[nodiscard]] std::uint64_t share(int length, int region) const;
  [[nodiscard]] bool keeps_to_its_share(const Group& group) const;
  [[nodiscard]] std::uint64_t share_of_fixed(bool in_instances) const;
  int add_limit(std::uint64_t left);
  void make_limits();

  const CardQuestion& question_;
  const Room& room_;
  const Standing& fixed_;
  std::optional<std::uint64_t> size_;
  std::vector<Group> groups_;
  std::vector<int> group_of_;  ///< by offer; -1 where it is not usable
  Limits limits_;
};

}  // namespace tessera::plan::slices
