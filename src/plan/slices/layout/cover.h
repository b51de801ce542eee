// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tessera::plan::slices {

/// What a card can contribute: numbers of slices by class, at a cost.
struct Choice {
  std::vector<int> counts;
  std::int64_t cost = 0;
};

/// Chooses one thing on each card so that together they have at least what is demanded, at the
/// least cost. At least, not exactly: a card that can hold some slices can hold fewer, and costs no
/// more then, so that of each card only those choices matter that no other one betters (as many of
/// every class, no dearer).
///
/// Branch and bound over the cards in their order. A bound is a price for each class: a rest cannot
/// cost less than its slices at these prices, less the most that each card left could earn by them
/// (Lagrange's bound). Besides, what has been proven of a rest is kept, so no rest is worked out
/// twice for the same money.
class Cover {
 public:
  static constexpr std::int64_t never = std::int64_t{1} << 60;

  /// `choices` by card, in descending order of counts; equal cards share one list. With each choice
  /// all smaller ones are in the list, and none of them costs more. Costs are at least 0, their
  /// sums below 2^52. `missing_cost` by class: what it costs to leave a slice out; `never` where it
  /// must not be.
  Cover(const std::vector<const std::vector<Choice>*>& choices, std::vector<int> demand,
        std::vector<std::int64_t> missing_cost);

  /// The least cost of all cards covering the demand; `never` when they cannot.
  std::int64_t least_cost();

  /// Whether the cards from `first` on can cover `rest` for `budget` or less.
  bool within(std::size_t first, const std::vector<int>& rest, std::int64_t budget);

 private:
  struct Prices {
    std::vector<std::int64_t> of_class;
    std::vector<std::int64_t> from;  ///< by card: the (negative) sum of what it and later ones earn
    bool proves_never = false;       ///< a price above nothing then means: cannot be covered
  };
  struct Try {
    std::int64_t bound = 0;  ///< of the cost of the card and all after it
    std::int64_t size = 0;   ///< how much it takes from the rest
    int choice = 0;
  };

  static void keep_unbeaten(const std::vector<Choice>& all, std::vector<Choice>& kept);
  void find_prices();
  void learn(std::size_t first, const std::vector<int>& rest);
  void add_prices(std::vector<std::int64_t> of_class, bool proves_never);
  std::vector<std::int64_t> sizes() const;
  [[nodiscard]] double highest_price(std::size_t slice_class) const;
  [[nodiscard]] std::int64_t bound(std::size_t first, const std::vector<int>& rest) const;
  [[nodiscard]] std::int64_t proven(std::size_t first, const std::vector<int>& rest) const;
  std::int64_t search(std::size_t first, const std::vector<int>& rest, std::int64_t budget);
  std::vector<Try> tries(std::size_t first, const std::vector<int>& rest) const;
  [[nodiscard]] std::optional<std::uint64_t> key(const std::vector<int>& rest) const;
  [[nodiscard]] std::int64_t cost_of_missing(const std::vector<int>& rest) const;
  [[nodiscard]] const std::vector<Choice>& kept(std::size_t card) const {
    return kept_[list_of_[card]];
  }

  std::vector<std::vector<Choice>> kept_;
  std::vector<std::size_t> list_of_;  ///< by card: its list in kept_
  std::vector<int> cards_with_;       ///< by list: how many cards have it
  std::vector<int> demand_;
  std::vector<std::int64_t> missing_cost_;
  std::vector<Prices> prices_;
  std::int64_t fraction_ = 1;  ///< prices are whole numbers of this fraction of a cost: exact
  std::int64_t dearest_ = 0;   ///< more than all cards together can cost
  std::size_t steps_ = 0;
  std::size_t learned_ = 0;
  std::vector<std::int64_t> sizes_;
  std::vector<std::unordered_map<std::uint64_t, std::int64_t>> proven_;  ///< by card, by rest
};

}  // namespace tessera::plan::slices
