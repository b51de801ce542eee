// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/layout/cover_prices.h"

#include <algorithm>
#include <cmath>

namespace tessera::plan::slices {
namespace {

/// The revised simplex method. Rows: a class each (slices placed and missing, less those too many,
/// are the demand), then a group of equal cards each (the parts of its choices are its cards).
class Simplex {
 public:
  Simplex(const std::vector<EqualCards>& cards, const std::vector<int>& demand,
          const std::vector<double>& missing_cost, bool with_costs)
      : cards_(cards),
        demand_(demand),
        missing_cost_(missing_cost),
        with_costs_(with_costs),
        classes_(demand.size()),
        rows_(demand.size() + cards.size()) {
    start();
  }

  std::vector<double> run() {
    // Far more rounds than it takes; a wrong end only makes the bound less sharp.
    const std::size_t most = 50 * rows_ + 200;
    for (std::size_t round = 0; round < most && improve(); ++round) {
    }
    std::vector<double> prices(prices_.begin(), prices_.begin() + static_cast<long>(classes_));
    for (std::size_t c = 0; c < classes_; ++c) {
      // what is not a number is no price either
      prices[c] = prices[c] > 0 ? std::min(prices[c], missing_cost_[c]) : 0;
    }
    return prices;
  }

 private:
  struct Column {
    std::vector<double> entries;
    double cost = 0;
  };

  Column column_of(std::size_t group, const Choice& choice) const {
    Column column{std::vector<double>(rows_), with_costs_ ? static_cast<double>(choice.cost) : 0};
    for (std::size_t c = 0; c < classes_; ++c) column.entries[c] = choice.counts[c];
    column.entries[classes_ + group] = 1;
    return column;
  }

  double& inverse(std::size_t row, std::size_t column) { return inverse_[row * rows_ + column]; }

  /// Every card whole with its first choice; what is missing is missing.
  void start() {
    inverse_.assign(rows_ * rows_, 0);
    std::vector<double> over(classes_);
    for (std::size_t c = 0; c < classes_; ++c) over[c] = -demand_[c];
    for (const EqualCards& group : cards_) {
      for (std::size_t c = 0; c < classes_; ++c) {
        over[c] += static_cast<double>(group.cards) * group.choices->front().counts[c];
      }
    }
    for (std::size_t c = 0; c < classes_; ++c) {
      const double sign = over[c] > 0 ? -1 : 1;
      values_.push_back(std::abs(over[c]));
      costs_.push_back(over[c] > 0 ? 0 : missing_cost_[c]);
      inverse(c, c) = sign;
      for (std::size_t g = 0; g < cards_.size(); ++g) {
        inverse(c, classes_ + g) = -sign * cards_[g].choices->front().counts[c];
      }
    }
    for (std::size_t g = 0; g < cards_.size(); ++g) {
      values_.push_back(cards_[g].cards);
      costs_.push_back(column_of(g, cards_[g].choices->front()).cost);
      inverse(classes_ + g, classes_ + g) = 1;
    }
  }

  void find_prices() {
    prices_.assign(rows_, 0);
    for (std::size_t r = 0; r < rows_; ++r) {
      if (costs_[r] == 0) continue;
      for (std::size_t c = 0; c < rows_; ++c) prices_[c] += costs_[r] * inverse(r, c);
    }
  }

  bool improve() {
    find_prices();
    double best = -1e-7;
    Column entering;
    for (std::size_t c = 0; c < classes_; ++c) {
      offer_single(c, -1, 0, prices_[c], best, entering);
      offer_single(c, 1, missing_cost_[c], missing_cost_[c] - prices_[c], best, entering);
    }
    for (std::size_t g = 0; g < cards_.size(); ++g) {
      const Choice* least = nullptr;
      for (const Choice& choice : *cards_[g].choices) {
        double gain = (with_costs_ ? static_cast<double>(choice.cost) : 0) - prices_[classes_ + g];
        for (std::size_t c = 0; c < classes_; ++c) gain -= prices_[c] * choice.counts[c];
        if (gain < best) best = gain, least = &choice;
      }
      if (least != nullptr) entering = column_of(g, *least);
    }
    return !entering.entries.empty() && enter(entering);
  }

  void offer_single(std::size_t row, double entry, double cost, double gain, double& best,
                    Column& entering) const {
    if (gain >= best) return;
    best = gain;
    entering = {std::vector<double>(rows_), cost};
    entering.entries[row] = entry;
  }

  /// Exchanges the column for the one whose value first becomes 0.
  bool enter(const Column& column) {
    std::vector<double> change(rows_);
    for (std::size_t r = 0; r < rows_; ++r) {
      for (std::size_t c = 0; c < rows_; ++c) {
        if (column.entries[c] != 0) change[r] += inverse(r, c) * column.entries[c];
      }
    }
    std::size_t leaving = rows_;
    double length = 0;
    for (std::size_t r = 0; r < rows_; ++r) {
      if (change[r] < 1e-9) continue;
      const double reach = values_[r] / change[r];
      if (leaving == rows_ || reach < length) leaving = r, length = reach;
    }
    if (leaving == rows_) return false;
    for (std::size_t c = 0; c < rows_; ++c) inverse(leaving, c) /= change[leaving];
    for (std::size_t r = 0; r < rows_; ++r) {
      if (r == leaving || change[r] == 0) continue;
      values_[r] = std::max(0.0, values_[r] - length * change[r]);
      for (std::size_t c = 0; c < rows_; ++c) inverse(r, c) -= change[r] * inverse(leaving, c);
    }
    values_[leaving] = length;
    costs_[leaving] = column.cost;
    return true;
  }

  const std::vector<EqualCards>& cards_;
  const std::vector<int>& demand_;
  const std::vector<double>& missing_cost_;
  bool with_costs_;
  std::size_t classes_;
  std::size_t rows_;
  std::vector<double> inverse_;  ///< of the basis, by rows
  std::vector<double> values_;   ///< of the basis
  std::vector<double> costs_;    ///< of the basis
  std::vector<double> prices_;   ///< of the rows
};

}  // namespace

std::vector<double> dearest_prices(const std::vector<EqualCards>& cards,
                                   const std::vector<int>& demand,
                                   const std::vector<double>& missing_cost, bool with_costs) {
  return Simplex(cards, demand, missing_cost, with_costs).run();
}

}  // namespace tessera::plan::slices
