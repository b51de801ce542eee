// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/layout/cover.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "plan/slices/layout/cover_prices.h"

namespace tessera::plan::slices {
namespace {

constexpr std::int64_t size_unit = 5040;
/// Prices for the number of slices alone are shares of this.
constexpr std::int64_t share_unit = std::int64_t{1} << 20U;
/// A search that is still going after so many steps looks for better prices.
constexpr std::size_t steps_to_learn = 48;
constexpr std::size_t most_prices = 24;

std::int64_t value_of(const std::vector<int>& counts, const std::vector<std::int64_t>& prices) {
  std::int64_t sum = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) sum += counts[c] * prices[c];
  return sum;
}

std::vector<int> rest_after(const std::vector<int>& rest, const std::vector<int>& counts) {
  std::vector<int> left(rest.size());
  for (std::size_t c = 0; c < rest.size(); ++c) left[c] = std::max(0, rest[c] - counts[c]);
  return left;
}

}  // namespace

Cover::Cover(const std::vector<const std::vector<Choice>*>& choices, std::vector<int> demand,
             std::vector<std::int64_t> missing_cost)
    : demand_(std::move(demand)),
      missing_cost_(std::move(missing_cost)),
      proven_(choices.size() + 1) {
  std::vector<const std::vector<Choice>*> seen;
  for (const auto* list : choices) {
    const auto found = std::ranges::find(seen, list);
    list_of_.push_back(static_cast<std::size_t>(found - seen.begin()));
    if (found == seen.end()) {
      seen.push_back(list);
      cards_with_.push_back(0);
      keep_unbeaten(*list, kept_.emplace_back());
    }
    ++cards_with_[list_of_.back()];
  }
  sizes_ = sizes();
  find_prices();
}

/// One that is beaten is beaten by one that has a single slice more, as all between them are
/// choices too.
void Cover::keep_unbeaten(const std::vector<Choice>& all, std::vector<Choice>& kept) {
  for (const Choice& choice : all) {
    std::vector<int> more = choice.counts;
    bool beaten = false;
    for (std::size_t c = 0; c < more.size() && !beaten; ++c) {
      ++more[c];
      const auto found = std::ranges::lower_bound(all, more, std::greater<>{}, &Choice::counts);
      beaten = found != all.end() && found->counts == more && found->cost <= choice.cost;
      --more[c];
    }
    if (!beaten) kept.push_back(choice);
  }
}

/// How much of a card one slice takes, as a share of the most slices of its class that one holds.
std::vector<std::int64_t> Cover::sizes() const {
  std::vector<std::int64_t> sizes(demand_.size(), size_unit);
  for (std::size_t c = 0; c < demand_.size(); ++c) {
    int most = 1;
    for (const auto& list : kept_) {
      for (const Choice& choice : list) most = std::max(most, choice.counts[c]);
    }
    sizes[c] = std::max<std::int64_t>(1, size_unit / most);
  }
  return sizes;
}

void Cover::find_prices() {
  const std::size_t classes = demand_.size();
  std::int64_t all_costs = 1;
  for (std::size_t l = 0; l < kept_.size(); ++l) {
    std::int64_t dearest = 0;
    for (const Choice& choice : kept_[l]) dearest = std::max(dearest, choice.cost);
    all_costs += cards_with_[l] * dearest;
  }
  for (std::size_t c = 0; c < classes; ++c) {
    all_costs += missing_cost_[c] == never ? 0 : demand_[c] * missing_cost_[c];
  }
  dearest_ = all_costs;
  const auto cards = static_cast<std::int64_t>(list_of_.size()) + 1;
  while (fraction_ < share_unit && all_costs * fraction_ < (std::int64_t{1} << 58U) / cards) {
    fraction_ *= 2;
  }
  add_prices(std::vector<std::int64_t>(classes), false);
  for (std::size_t c = 0; c < classes; ++c) {
    if (missing_cost_[c] != never) continue;
    std::vector<std::int64_t> one(classes);
    one[c] = 1;
    add_prices(one, true);
  }
  if (std::ranges::all_of(missing_cost_, [](std::int64_t cost) { return cost == never; })) {
    add_prices(sizes_, true);
  }
  learn(0, demand_);
}

/// Adds prices that are the best for this rest.
void Cover::learn(std::size_t first, const std::vector<int>& rest) {
  if (demand_.empty() || list_of_.empty()) return;
  std::vector<EqualCards> cards;
  for (const auto& list : kept_) cards.push_back({&list, 0});
  for (std::size_t card = first; card < list_of_.size(); ++card) ++cards[list_of_[card]].cards;
  std::erase_if(cards, [](const EqualCards& equal) { return equal.cards == 0; });
  std::vector<double> most;
  std::vector<double> most_share;
  for (std::size_t c = 0; c < demand_.size(); ++c) {
    most.push_back(highest_price(c));
    most_share.push_back(missing_cost_[c] == never ? 1 : 0);
  }
  std::vector<std::int64_t> whole;
  for (const double price : dearest_prices(cards, rest, most, true)) {
    whole.push_back(static_cast<std::int64_t>(std::floor(price * static_cast<double>(fraction_))));
  }
  add_prices(whole, false);
  whole.clear();
  for (const double share : dearest_prices(cards, rest, most_share, false)) {
    whole.push_back(std::llround(share * static_cast<double>(share_unit)));
  }
  if (std::ranges::any_of(whole, [](std::int64_t share) { return share > 0; })) {
    add_prices(whole, true);
  }
}

/// A slice that may be left out is worth no more than that; one that may not, no more than all that
/// the cards can cost, or sums would overflow.
double Cover::highest_price(std::size_t slice_class) const {
  const std::int64_t missing = missing_cost_[slice_class];
  if (missing != never) return static_cast<double>(missing);
  const double without_overflow = 0x1p60 / static_cast<double>(fraction_) /
                                  std::max(1, demand_[slice_class]) /
                                  static_cast<double>(demand_.size() * (list_of_.size() + 1));
  return std::min(without_overflow, static_cast<double>(dearest_));
}

void Cover::add_prices(std::vector<std::int64_t> of_class, bool proves_never) {
  Prices prices{std::move(of_class), std::vector<std::int64_t>(list_of_.size() + 1), proves_never};
  std::vector<std::int64_t> earns;
  for (const auto& list : kept_) {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const Choice& choice : list) {
      const std::int64_t cost = proves_never ? 0 : choice.cost * fraction_;
      least = std::min(least, cost - value_of(choice.counts, prices.of_class));
    }
    earns.push_back(least);
  }
  for (std::size_t card = list_of_.size(); card-- > 0;) {
    prices.from[card] = prices.from[card + 1] + earns[list_of_[card]];
  }
  if (prices_.size() < most_prices) {
    prices_.push_back(std::move(prices));
  } else {
    prices_[most_prices / 2 + learned_++ % (most_prices / 2)] = std::move(prices);
  }
}

std::int64_t Cover::bound(std::size_t first, const std::vector<int>& rest) const {
  std::int64_t highest = 0;
  for (const Prices& prices : prices_) {
    const std::int64_t fractions = value_of(rest, prices.of_class) + prices.from[first];
    if (prices.proves_never) {
      if (fractions > 0) return never;
    } else {
      highest = std::max(highest, fractions);
    }
  }
  return (highest + fraction_ - 1) / fraction_;
}

/// A number for the rest; none where there are too many rests to number them. Then nothing is kept
/// of them, and the search only takes longer.
std::optional<std::uint64_t> Cover::key(const std::vector<int>& rest) const {
  std::uint64_t key = 0;
  for (std::size_t c = 0; c < rest.size(); ++c) {
    const auto radix = static_cast<std::uint64_t>(demand_[c]) + 1;
    if (key > std::numeric_limits<std::uint64_t>::max() / radix - 1) return std::nullopt;
    key = key * radix + static_cast<std::uint64_t>(rest[c]);
  }
  return key;
}

std::int64_t Cover::proven(std::size_t first, const std::vector<int>& rest) const {
  const std::int64_t by_prices = bound(first, rest);
  if (by_prices == never) return never;
  const auto number = key(rest);
  if (!number) return by_prices;
  const auto found = proven_[first].find(*number);
  return found == proven_[first].end() ? by_prices : std::max(by_prices, found->second);
}

std::int64_t Cover::cost_of_missing(const std::vector<int>& rest) const {
  std::int64_t cost = 0;
  for (std::size_t c = 0; c < rest.size(); ++c) {
    if (rest[c] > 0 && missing_cost_[c] == never) return never;
    cost += rest[c] > 0 ? rest[c] * missing_cost_[c] : 0;
  }
  return cost;
}

std::vector<Cover::Try> Cover::tries(std::size_t first, const std::vector<int>& rest) const {
  std::vector<Try> all;
  const std::vector<Choice>& list = kept(first);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::vector<int> left = rest_after(rest, list[i].counts);
    const std::int64_t later = proven(first + 1, left);
    all.push_back({later == never ? never : list[i].cost + later,
                   value_of(rest, sizes_) - value_of(left, sizes_), static_cast<int>(i)});
  }
  std::ranges::stable_sort(all, [](const Try& a, const Try& b) {
    return a.bound != b.bound ? a.bound < b.bound : a.size > b.size;
  });
  return all;
}

/// The least cost, or where that is above the budget, something above the budget that it is not
/// below.
std::int64_t Cover::search(std::size_t first, const std::vector<int>& rest, std::int64_t budget) {
  const std::int64_t known = proven(first, rest);
  if (known > budget) return known;
  if (first == list_of_.size()) return cost_of_missing(rest);
  if (++steps_ % steps_to_learn == 0) {
    learn(first, rest);
    if (const std::int64_t learned = proven(first, rest); learned > budget) return learned;
  }
  std::int64_t least = never;
  for (const Try& one : tries(first, rest)) {
    if (one.bound > budget) {
      least = std::min(least, one.bound);
      break;
    }
    const Choice& choice = kept(first)[static_cast<std::size_t>(one.choice)];
    const std::int64_t later =
        search(first + 1, rest_after(rest, choice.counts), budget - choice.cost);
    if (later != never) least = std::min(least, choice.cost + later);
    if (least <= budget) return least;
  }
  if (const auto number = key(rest)) proven_[first][*number] = least;
  return least;
}

std::int64_t Cover::least_cost() {
  std::int64_t budget = proven(0, demand_);
  bool can_be_covered = false;
  while (budget != never) {
    const std::int64_t found = search(0, demand_, budget);
    if (found <= budget || found == never) return found;
    if (!can_be_covered) {
      // Before more money is tried: can it be done at all? One proof for all prices.
      if (search(0, demand_, never - 1) == never) return never;
      can_be_covered = true;
    }
    budget = found;
  }
  return never;
}

bool Cover::within(std::size_t first, const std::vector<int>& rest, std::int64_t budget) {
  return budget >= 0 && search(first, rest, budget) <= budget;
}

}  // namespace tessera::plan::slices
