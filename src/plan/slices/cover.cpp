// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/cover.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tessera::plan::slices {
namespace {

/// Prices are whole numbers of this fraction of a cost, so that bounds are exact.
constexpr std::int64_t fraction = 64;
constexpr std::int64_t size_unit = 5040;
constexpr int price_rounds = 60;

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

bool betters(const Choice& a, const Choice& b) {
  if (a.cost > b.cost) return false;
  for (std::size_t c = 0; c < a.counts.size(); ++c) {
    if (a.counts[c] < b.counts[c]) return false;
  }
  return true;
}

std::int64_t up_to_whole(std::int64_t fractions) {
  return fractions <= 0 ? 0 : (fractions + fraction - 1) / fraction;
}

}  // namespace

Cover::Cover(std::vector<const std::vector<Choice>*> choices, std::vector<int> demand,
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

void Cover::keep_unbeaten(const std::vector<Choice>& all, std::vector<Choice>& kept) const {
  std::vector<const Choice*> order;
  for (const Choice& choice : all) order.push_back(&choice);
  // one that betters another comes before it
  std::ranges::stable_sort(order, [](const Choice* a, const Choice* b) {
    std::int64_t more = 0;
    for (std::size_t c = 0; c < a->counts.size(); ++c) more += a->counts[c] - b->counts[c];
    return more != 0 ? more > 0 : a->cost < b->cost;
  });
  for (const Choice* choice : order) {
    const auto beaten = [&](const Choice& other) { return betters(other, *choice); };
    if (std::ranges::none_of(kept, beaten)) kept.push_back(*choice);
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
  const bool all_needed = std::ranges::all_of(
      missing_cost_, [](std::int64_t cost) { return cost == never; });
  add_prices(std::vector<std::int64_t>(classes), false);
  std::vector<double> scale;
  for (const std::int64_t size : sizes_) scale.push_back(static_cast<double>(size));
  std::vector<std::int64_t> whole(classes);
  const auto rounded = [&](const std::vector<double>& prices) {
    for (std::size_t c = 0; c < classes; ++c) {
      whole[c] = static_cast<std::int64_t>(std::min(prices[c], highest_price(c)));
    }
    return whole;
  };
  add_prices(rounded(best_prices(true, scale)), false);
  for (std::size_t c = 0; c < classes; ++c) {
    if (missing_cost_[c] != never) continue;
    std::vector<std::int64_t> one(classes);
    one[c] = 1;
    add_prices(one, true);
  }
  if (!all_needed) {
    std::vector<std::int64_t> each(classes, fraction);
    for (std::size_t c = 0; c < classes; ++c) each[c] = missing_cost_[c] == never ? 0 : fraction;
    return add_prices(each, false);
  }
  add_prices(std::vector<std::int64_t>(classes, 1), true);
  add_prices(sizes_, true);
  add_prices(rounded(best_prices(false, scale)), true);
}

/// A slice that may be left out is worth no more than that; no price is so high that sums overflow.
double Cover::highest_price(std::size_t slice_class) const {
  const double all = 0x1p57 / std::max(1, demand_[slice_class]) / static_cast<double>(demand_.size());
  const std::int64_t missing = missing_cost_[slice_class];
  return missing == never ? all : std::min(all, static_cast<double>(missing * fraction));
}

void Cover::add_prices(std::vector<std::int64_t> of_class, bool proves_never) {
  Prices prices{std::move(of_class), std::vector<std::int64_t>(list_of_.size() + 1), proves_never};
  std::vector<std::int64_t> earns;
  for (const auto& list : kept_) {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const Choice& choice : list) {
      const std::int64_t cost = proves_never ? 0 : choice.cost * fraction;
      least = std::min(least, cost - value_of(choice.counts, prices.of_class));
    }
    earns.push_back(least);
  }
  for (std::size_t card = list_of_.size(); card-- > 0;) {
    prices.from[card] = prices.from[card + 1] + earns[list_of_[card]];
  }
  prices_.push_back(std::move(prices));
}

/// Prices by subgradient steps: dearer what the cards leave out at these prices, cheaper what they
/// have too much of. Any prices make a true bound; good ones make a high one.
std::vector<double> Cover::best_prices(bool with_costs, const std::vector<double>& scale) const {
  const std::size_t classes = demand_.size();
  double unit = 0;
  for (const auto& list : kept_) {
    for (const Choice& choice : list) unit = std::max(unit, static_cast<double>(choice.cost));
  }
  std::vector<double> now(classes);
  if (!with_costs) now = scale;
  std::vector<double> best = now;
  double highest = -std::numeric_limits<double>::infinity();
  for (int round = 0; round < price_rounds; ++round) {
    double bound = 0;
    double norm = 0;
    std::vector<double> missing(demand_.begin(), demand_.end());
    for (std::size_t c = 0; c < classes; ++c) bound += now[c] * demand_[c];
    norm = std::max(bound, 1e-9);
    for (std::size_t l = 0; l < kept_.size(); ++l) {
      const Choice* least = nullptr;
      double least_cost = 0;
      for (const Choice& choice : kept_[l]) {
        double cost = with_costs ? static_cast<double>(choice.cost * fraction) : 0;
        for (std::size_t c = 0; c < classes; ++c) cost -= now[c] * choice.counts[c];
        if (least == nullptr || cost < least_cost) least = &choice, least_cost = cost;
      }
      bound += cards_with_[l] * least_cost;
      for (std::size_t c = 0; c < classes; ++c) missing[c] -= cards_with_[l] * least->counts[c];
    }
    if (!with_costs) bound /= norm;
    if (bound > highest) highest = bound, best = now;
    const double step = with_costs ? unit * static_cast<double>(fraction) / (1 + round) : 0;
    for (std::size_t c = 0; c < classes; ++c) {
      const double share = missing[c] / std::max(1, demand_[c]);
      now[c] = with_costs ? std::max(0.0, now[c] + step * share * scale[c] / double{size_unit})
                          : now[c] * std::clamp(1 + 2 * share / (2 + round), 0.5, 2.0);
      now[c] = std::min(now[c], highest_price(c));
    }
  }
  return best;
}

std::int64_t Cover::bound(std::size_t first, const std::vector<int>& rest) const {
  std::int64_t highest = 0;
  for (const Prices& prices : prices_) {
    const std::int64_t fractions = value_of(rest, prices.of_class) + prices.from[first];
    if (prices.proves_never) {
      if (fractions > 0) return never;
    } else {
      highest = std::max(highest, up_to_whole(fractions));
    }
  }
  return highest;
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
