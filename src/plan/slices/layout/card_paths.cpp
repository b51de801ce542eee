// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/layout/card_paths.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "plan/slices/layout/index.h"

namespace tessera::plan::slices {
namespace {

constexpr int unknown = -2;

std::size_t hash_of(const int* counts, std::size_t width) {
  std::uint64_t hash = 1469598103934665603U;
  for (std::size_t i = 0; i < width; ++i) {
    hash = (hash ^ static_cast<std::uint64_t>(counts[i])) * 1099511628211U;
  }
  return static_cast<std::size_t>(hash ^ (hash >> 29U));
}

/// Higher is better.
template <typename T>
auto value(const T& path) {
  return std::tuple(path.framebuffer_bytes, path.staying, -path.penalty);
}

}  // namespace

CounterVectors::CounterVectors(std::vector<int> class_of, std::vector<int> limits)
    : class_of_(std::move(class_of)), limits_(std::move(limits)), buckets_(64, -1) {
  find_or_add(std::vector<int>(width()));
}

int CounterVectors::next(int vector, int counter) {
  int& known = next_[place(vector) + at(counter)];
  if (known != unknown) return known;
  const int slice_class = class_of_[at(counter)];
  std::vector<int> counts(this->counts(vector), this->counts(vector) + width());
  int of_class = 0;
  for (std::size_t i = 0; i < width(); ++i) of_class += class_of_[i] == slice_class ? counts[i] : 0;
  ++counts[at(counter)];
  const int found = of_class < limits_[at(slice_class)] ? find_or_add(counts) : -1;
  return next_[place(vector) + at(counter)] = found;
}

int CounterVectors::find_or_add(const std::vector<int>& counts) {
  if (vectors_ * 2 >= buckets_.size()) {
    buckets_.assign(buckets_.size() * 2, -1);
    for (std::size_t v = 0; v < vectors_; ++v) {
      std::size_t b = hash_of(this->counts(static_cast<int>(v)), width()) % buckets_.size();
      while (buckets_[b] >= 0) b = (b + 1) % buckets_.size();
      buckets_[b] = static_cast<int>(v);
    }
  }
  std::size_t bucket = hash_of(counts.data(), width()) % buckets_.size();
  for (; buckets_[bucket] >= 0; bucket = (bucket + 1) % buckets_.size()) {
    if (std::equal(counts.begin(), counts.end(), this->counts(buckets_[bucket]))) {
      return buckets_[bucket];
    }
  }
  buckets_[bucket] = static_cast<int>(vectors_);
  counts_.insert(counts_.end(), counts.begin(), counts.end());
  next_.resize(next_.size() + width(), unknown);
  return static_cast<int>(vectors_++);
}

CardPaths::CardPaths(const CardGraph& graph, CounterVectors& vectors,
                     const std::vector<int>& counter_of)
    : graph_(graph), nodes_(graph.nodes.size()), row_(graph.limits.size()) {
  used_.resize(row_.size());
  insert(nodes_.front(), Label{});
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    walk(static_cast<int>(n), vectors, counter_of);
    if (n + 1 < nodes_.size()) nodes_[n] = {};
  }
  collect(nodes_.back());
}

/// Steps back to the node itself add labels while this goes over them.
void CardPaths::walk(int node, CounterVectors& vectors, const std::vector<int>& counter_of) {
  for (std::size_t i = 0; i < nodes_[at(node)].labels.size(); ++i) {
    const int label = nodes_[at(node)].labels[i];
    if (labels_[at(label)].outdone) continue;
    for (const Step& step : graph_.nodes[at(node)]) {
      int vector = labels_[at(label)].vector;
      if (step.column >= 0) vector = vectors.next(vector, counter_of[at(step.column)]);
      if (vector >= 0 && within_limits(label, step)) follow(label, step, vector);
    }
  }
}

bool CardPaths::within_limits(int label, const Step& step) {
  if (step.framebuffer_bytes > graph_.framebuffer_bytes - labels_[at(label)].framebuffer_bytes) {
    return false;
  }
  for (std::size_t i = 0; i < row_.size(); ++i) {
    const std::uint64_t before = used_[at(label) * row_.size() + i];
    const std::uint64_t more = step.use < 0 ? 0 : graph_.uses[at(step.use)][i];
    if (more > graph_.limits[i] - before) return false;
    row_[i] = before + more;
  }
  return true;
}

void CardPaths::follow(int label, const Step& step, int vector) {
  Label next = labels_[at(label)];
  next.framebuffer_bytes += step.framebuffer_bytes;
  next.penalty += step.penalty;
  next.staying += step.taken >= 0 ? 1 : 0;
  next.vector = vector;
  next.before = label;
  next.step = &step;
  insert(nodes_[at(step.to)], next);
}

/// Whatever can follow `other`, with `others_use` of the limits, can follow this one and is as
/// good.
bool CardPaths::outdoes(const Label& one, const std::uint64_t* its_use, const Label& other,
                        const std::uint64_t* others_use) const {
  if (graph_.framebuffer_binds && one.framebuffer_bytes != other.framebuffer_bytes) return false;
  if (value(one) < value(other)) return false;
  for (std::size_t i = 0; i < row_.size(); ++i) {
    if (its_use[i] > others_use[i]) return false;
  }
  return true;
}

/// Adds a label with row_ as its use of the limits, unless there is one at least as good.
void CardPaths::insert(Node& node, Label label) {
  if (node.first.size() <= at(label.vector)) node.first.resize(at(label.vector) + 1, -1);
  for (int l = node.first[at(label.vector)]; l >= 0; l = labels_[at(l)].next) {
    if (outdoes(labels_[at(l)], used(l), label, row_.data())) return;
  }
  drop_outdone(node, label);
  label.next = node.first[at(label.vector)];
  label.outdone = false;
  node.first[at(label.vector)] = static_cast<int>(labels_.size());
  node.labels.push_back(static_cast<int>(labels_.size()));
  used_.resize(labels_.size() * row_.size());
  used_.insert(used_.end(), row_.begin(), row_.end());
  labels_.push_back(label);
}

void CardPaths::drop_outdone(Node& node, const Label& by) {
  int* link = &node.first[at(by.vector)];
  while (*link >= 0) {
    Label& other = labels_[at(*link)];
    if (outdoes(by, row_.data(), other, used(*link))) {
      other.outdone = true;
      *link = other.next;
    } else {
      link = &other.next;
    }
  }
}

void CardPaths::collect(const Node& last) {
  for (std::size_t v = 0; v < last.first.size(); ++v) {
    int best = last.first[v];
    if (best < 0) continue;
    for (int l = best; l >= 0; l = labels_[at(l)].next) {
      if (value(labels_[at(l)]) > value(labels_[at(best)])) best = l;
    }
    const Label& label = labels_[at(best)];
    best_.push_back(
        {static_cast<int>(v), label.framebuffer_bytes, label.staying, label.penalty, best});
  }
}

std::vector<const Step*> CardPaths::steps(const Path& path) const {
  std::vector<const Step*> steps;
  for (int l = path.label; labels_[at(l)].step != nullptr; l = labels_[at(l)].before) {
    steps.push_back(labels_[at(l)].step);
  }
  std::ranges::reverse(steps);
  return steps;
}

}  // namespace tessera::plan::slices
