// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/slices/layout/card_graph.h"

namespace tessera::plan::slices {

/// Vectors of counters, numbered in the order in which they are met.
class CounterVectors {
 public:
  /// Counter i belongs to the class class_of[i]; counters of class c together count to limits[c].
  CounterVectors(std::vector<int> class_of, std::vector<int> limits);

  /// The number of the vector with `counter` one higher; -1 where the limit forbids it.
  int next(int vector, int counter);
  [[nodiscard]] const int* counts(int vector) const { return counts_.data() + place(vector); }
  [[nodiscard]] std::size_t size() const { return vectors_; }
  [[nodiscard]] std::size_t width() const { return class_of_.size(); }

 private:
  [[nodiscard]] std::size_t place(int vector) const {
    return static_cast<std::size_t>(vector) * width();
  }
  int find_or_add(const std::vector<int>& counts);

  std::vector<int> class_of_;
  std::vector<int> limits_;
  std::size_t vectors_ = 0;
  std::vector<int> counts_;   ///< rows
  std::vector<int> next_;     ///< rows; unknown is -2
  std::vector<int> buckets_;  ///< open hash of vectors
};

/// The best paths through a graph, by the vector of counters that their columns reach: most
/// framebuffer, then most slices that stay, then least penalty.
class CardPaths {
 public:
  struct Path {
    int vector = 0;
    std::uint64_t framebuffer_bytes = 0;
    int staying = 0;
    std::int64_t penalty = 0;
    int label = 0;
  };

  /// `counter_of` names the counter of each column.
  CardPaths(const CardGraph& graph, CounterVectors& vectors, const std::vector<int>& counter_of);

  [[nodiscard]] const std::vector<Path>& best() const { return best_; }
  /// The steps of a path of best(), first to last.
  [[nodiscard]] std::vector<const Step*> steps(const Path& path) const;

 private:
  /// The end of a path from the first node.
  struct Label {
    std::uint64_t framebuffer_bytes = 0;
    std::int64_t penalty = 0;
    int staying = 0;
    int vector = 0;
    int before = -1;
    int next = -1;  ///< of the same node and vector
    const Step* step = nullptr;
    bool outdone = false;
  };
  struct Node {
    std::vector<int> labels;
    std::vector<int> first;  ///< by vector; -1
  };

  void walk(int node, CounterVectors& vectors, const std::vector<int>& counter_of);
  void follow(int label, const Step& step, int vector);
  [[nodiscard]] bool within_limits(int label, const Step& step);
  void insert(Node& node, Label label);
  void drop_outdone(Node& node, const Label& by);
  [[nodiscard]] bool outdoes(const Label& one, const std::uint64_t* its_use, const Label& other,
                             const std::uint64_t* others_use) const;
  [[nodiscard]] const std::uint64_t* used(int label) const {
    return used_.data() + static_cast<std::size_t>(label) * row_.size();
  }
  void collect(const Node& last);

  const CardGraph& graph_;
  std::vector<Node> nodes_;
  std::vector<Label> labels_;
  std::vector<std::uint64_t> used_;  ///< rows, by label
  std::vector<std::uint64_t> row_;   ///< of the step being tried
  std::vector<Path> best_;
};

}  // namespace tessera::plan::slices
