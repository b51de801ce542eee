// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/layout/card_graph.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "plan/slices/layout/card_supply.h"
#include "plan/slices/layout/index.h"
#include "plan/slices/standing.h"

namespace tessera::plan::slices {
namespace {

/// A new GPU instance counts more than any sum of placement ids.
constexpr std::int64_t new_instance_penalty = std::int64_t{1} << 40;

/// A node while the graph is built; they are sorted by `place` at the end.
struct Draft {
  std::pair<int, int> place;
  std::vector<Step> steps;
};

class Builder {
 public:
  Builder(const CardQuestion& question, const Standing& fixed, std::optional<std::uint64_t> size)
      : question_(question), room_(*question.room), fixed_(fixed), supply_(question, fixed, size) {}

  CardGraph build() {
    graph_.limits = supply_.limits().left;
    graph_.framebuffer_bytes = supply_.framebuffer_left();
    graph_.framebuffer_binds = supply_.framebuffer_may_bind();
    const int loose = add_loose();
    const int line_end = add_line(loose);
    add_regions(line_end);
    return sorted();
  }

 private:
  int add_use(const std::vector<int>& ones, const Group* needs) {
    if (graph_.limits.empty()) return -1;
    std::vector<std::uint64_t> row(graph_.limits.size());
    for (const int limit : ones) {
      if (limit >= 0) row[at(limit)] = 1;
    }
    for (std::size_t b = 0; needs != nullptr && b < supply_.limits().budgets.size(); ++b) {
      row[at(supply_.limits().budgets[b])] = needs->needs[b];
    }
    const auto found = std::ranges::find(graph_.uses, row);
    if (found != graph_.uses.end()) return static_cast<int>(found - graph_.uses.begin());
    graph_.uses.push_back(std::move(row));
    return static_cast<int>(graph_.uses.size()) - 1;
  }

  // Steps.

  [[nodiscard]] std::uint64_t counted(std::uint64_t bytes) const {
    return room_.framebuffer_bytes == 0 ? 0 : bytes;
  }

  Step column_step(int column, int taken = -1) {
    const int o = question_.columns[at(column)].offer;
    const Group& group = supply_.group_of(o);
    Step step;
    step.column = column;
    step.taken = taken;
    step.framebuffer_bytes = counted(group.framebuffer_bytes);
    step.use =
        add_use({supply_.limits().slices, supply_.limits().offers[at(o)], group.limit}, &group);
    return step;
  }

  Step further_step(const Group& group) {
    Step step;
    step.framebuffer_bytes = counted(group.framebuffer_bytes);
    step.use = add_use({supply_.limits().slices, group.limit}, &group);
    return step;
  }

  [[nodiscard]] bool worth_more(const Group& group) const {
    return counted(group.framebuffer_bytes) > 0 && group.most > 0 && group.left > 0;
  }

  /// Of several offers of one class that are the same to the card and in plenty, the first does.
  [[nodiscard]] bool is_needed(int column) const {
    const Column& c = question_.columns[at(column)];
    if (!supply_.usable(c.offer)) return false;
    for (int before = column - 1; before >= 0; --before) {
      const Column& other = question_.columns[at(before)];
      if (other.slice_class != c.slice_class) break;
      if (supply_.usable(other.offer) &&
          &supply_.group_of(other.offer) == &supply_.group_of(c.offer) &&
          supply_.is_plenty(other.offer)) {
        return false;
      }
    }
    return true;
  }

  /// The column in which a movable slice stays where it is; -1 when it cannot.
  [[nodiscard]] int column_of_taken(int t) const {
    const Taken& taken = room_.taken[at(t)];
    if (question_.moves == Moves::none || !taken.movable || taken.offer < 0 ||
        at(taken.offer) >= room_.offers.size() || !supply_.usable(taken.offer)) {
      return -1;
    }
    for (int c = 0; at(c) < question_.columns.size(); ++c) {
      const Column& column = question_.columns[at(c)];
      if (column.slice_class >= question_.want_classes && column.offer == taken.offer) return c;
    }
    return -1;
  }

  int add_node(int stage, int place) {
    drafts_.push_back({{stage, place}, {}});
    return static_cast<int>(drafts_.size()) - 1;
  }

  void add_step(int from, int to, Step step) {
    step.to = to;
    drafts_[at(from)].steps.push_back(step);
  }

  // Slices without placements: those that may stay one by one, then any number of each.

  int add_loose() {
    int node = add_node(-2, 0);
    int place = 0;
    for (int t = 0; at(t) < room_.taken.size(); ++t) {
      const int column = column_of_taken(t);
      if (column < 0 || supply_.group_of(room_.taken[at(t)].offer).in_instance ||
          supply_.offer(room_.taken[at(t)].offer).length > 0) {
        continue;
      }
      const int next = add_node(-2, ++place);
      add_step(node, next, column_step(column, t));
      add_step(node, next, Step{});
      node = next;
    }
    for (int c = 0; at(c) < question_.columns.size(); ++c) {
      if (is_needed(c) && is_loose(question_.columns[at(c)].offer)) {
        add_step(node, node, column_step(c));
      }
    }
    const int further = add_node(-2, ++place);
    add_step(node, further, Step{});
    for (const Group& group : supply_.groups()) {
      if (!group.in_instance && group.length == 0 && worth_more(group)) {
        add_step(further, further, further_step(group));
      }
    }
    return further;
  }

  [[nodiscard]] bool is_loose(int o) const {
    return supply_.offer(o).gpu_instance < 0 && supply_.offer(o).length <= 0;
  }

  // Slices with placements: along the line, a step places one or passes on.

  struct OnLine {
    int start = 0;
    int end = 0;
    Step step;
  };

  int add_line(int before) {
    const std::vector<OnLine> all = on_line();
    std::map<int, int> node_at;  // by position
    for (const OnLine& one : all) node_at[one.start] = node_at[one.end] = 0;
    node_at[0] = 0;
    for (auto& [position, node] : node_at) node = add_node(-1, position);
    add_step(before, node_at.at(0), Step{});
    for (const OnLine& one : all) {
      add_step(node_at.at(one.start), node_at.at(one.end), one.step);
    }
    int last = node_at.at(0);
    for (const auto& [position, node] : node_at) {
      if (position > 0) add_step(last, node, Step{});
      last = node;
    }
    return last;
  }

  std::vector<OnLine> on_line() {
    std::vector<OnLine> all;
    for (int t = 0; at(t) < room_.taken.size(); ++t) add_staying(t, all);
    for (int c = 0; at(c) < question_.columns.size(); ++c) {
      if (!is_needed(c)) continue;
      const Group& group = supply_.group_of(question_.columns[at(c)].offer);
      if (group.length > 0) add_placements(group, column_step(c), all);
    }
    for (const Group& group : supply_.groups()) {
      if (group.length > 0 && worth_more(group)) add_placements(group, further_step(group), all);
    }
    return all;
  }

  static void add_placements(const Group& group, Step step, std::vector<OnLine>& all) {
    for (const int start : group.starts) {
      step.start = start;
      step.penalty = step.column < 0 ? 0 : start;
      all.push_back({start, start + group.length, step});
    }
  }

  void add_staying(int t, std::vector<OnLine>& all) {
    const int column = column_of_taken(t);
    const Taken& taken = room_.taken[at(t)];
    if (column < 0 || is_loose(taken.offer) || supply_.offer(taken.offer).gpu_instance >= 0) return;
    const int length = supply_.offer(taken.offer).length;
    if (!taken.start || *taken.start < 0 || length > room_.units ||
        *taken.start > room_.units - length || !supply_.is_free(*taken.start, length)) {
      return;
    }
    Step step = column_step(column, t);
    step.start = taken.start;
    all.push_back({*taken.start, *taken.start + length, step});
  }

  // GPU instances: along the memory slices, a step enters an instance or passes one slice on.

  void add_regions(int before) {
    std::vector<int> nodes;
    const int length = supply_.instances_matter() ? std::max(0, room_.memory_slices) : 0;
    for (int p = 0; p <= length; ++p) nodes.push_back(add_node(2 * p, 0));
    add_step(before, nodes.front(), Step{});
    if (length == 0) return;
    std::vector<bool> taken(at(length));
    for (int i = 0; at(i) < room_.instances.size(); ++i) {
      const int start = room_.instances[at(i)].start;
      const int end = start + room_.gpu_instances[at(room_.instances[at(i)].kind)].length;
      std::fill(taken.begin() + start, taken.begin() + end, true);
      add_existing(i, nodes[at(start)], nodes[at(end)]);
    }
    for (int p = 0; p < length; ++p) {
      if (!taken[at(p)]) add_step(nodes[at(p)], nodes[at(p + 1)], Step{});
    }
    for (int kind = 0; at(kind) < room_.gpu_instances.size(); ++kind) {
      for (const int start : supply_.free_starts(kind)) {
        const int end = start + room_.gpu_instances[at(kind)].length;
        add_new(kind, start, nodes[at(start)], nodes[at(end)]);
      }
    }
  }

  /// What one GPU instance holds: under equal sizes a way for each size.
  struct Inside {
    int kind = 0;
    int start = 0;
    int existing = -1;
    bool columns = true;  ///< wanted slices may go in, not only further ones
    std::optional<std::uint64_t> size;
  };

  void add_existing(int i, int from, int to) {
    const GpuInstance& instance = room_.instances[at(i)];
    Inside inside{instance.kind, instance.start, i, true, fixed_.instances[at(i)].size};
    Step enter;
    enter.instance = i;
    add_step(from, to, Step{});
    add_by_size(inside, enter, from, to);
  }

  void add_new(int kind, int start, int from, int to) {
    Step enter;
    enter.new_kind = kind;
    enter.start = start;
    enter.use = add_use({supply_.limits().kinds[at(kind)]}, nullptr);
    add_by_size({kind, start, -1, false, std::nullopt}, enter, from, to);
    enter.penalty = new_instance_penalty;
    add_by_size({kind, start, -1, true, std::nullopt}, enter, from, to);
  }

  void add_by_size(Inside inside, const Step& enter, int from, int to) {
    if (room_.rule == SizeRule::mixed || inside.size) return add_inside(inside, enter, from, to);
    std::set<std::uint64_t> sizes;
    for (const Group& group : supply_.groups()) {
      if (group.gpu_instance == inside.kind) sizes.insert(group.framebuffer_bytes);
    }
    for (const std::uint64_t size : sizes) {
      inside.size = size;
      add_inside(inside, enter, from, to);
    }
  }

  [[nodiscard]] bool fits_inside(const Inside& inside, int o) const {
    return supply_.usable(o) && supply_.offer(o).gpu_instance == inside.kind &&
           (!inside.size || supply_.offer(o).framebuffer_bytes == *inside.size);
  }

  /// Nodes inside are known by how many movable slices were asked, how many slices are in, and how
  /// much framebuffer they have.
  struct Filling {
    std::size_t asked = 0;
    int slices = 0;
    std::uint64_t framebuffer_bytes = 0;
    auto operator<=>(const Filling&) const = default;
  };

  struct Staying {
    std::uint64_t framebuffer_bytes = 0;
    Step step;
  };

  void add_inside(const Inside& inside, const Step& enter, int from, int to) {
    const std::vector<Staying> staying = staying_inside(inside);
    const std::vector<Staying> any = any_inside(inside);
    if (staying.empty() && any.empty()) return;
    Filling first;
    if (inside.existing >= 0) {
      first.slices = fixed_.instances[at(inside.existing)].slices;
      first.framebuffer_bytes = fixed_.instances[at(inside.existing)].framebuffer_bytes;
    }
    std::map<Filling, int> nodes;
    std::deque<Filling> open;
    const auto node_of = [&](const Filling& filling) {
      const auto [found, is_new] = nodes.try_emplace(filling, 0);
      if (is_new) {
        const int steps_so_far = static_cast<int>(filling.asked) + filling.slices;
        found->second = add_node(2 * inside.start + 1, steps_so_far);
        open.push_back(filling);
      }
      return found->second;
    };
    add_step(from, node_of(first), enter);
    while (!open.empty()) {
      const Filling now = open.front();
      open.pop_front();
      const int node = nodes.at(now);
      if (now.asked < staying.size()) {
        const Staying& one = staying[now.asked];
        add_step(node, node_of({now.asked + 1, now.slices, now.framebuffer_bytes}), Step{});
        add_filling(inside, now, one, 1, node, node_of);
      } else {
        add_step(node, to, Step{});
        for (const Staying& one : any) add_filling(inside, now, one, 0, node, node_of);
      }
    }
  }

  template <typename NodeOf>
  void add_filling(const Inside& inside, const Filling& now, const Staying& one, std::size_t asked,
                   int node, const NodeOf& node_of) {
    const GpuInstanceKind& kind = room_.gpu_instances[at(inside.kind)];
    Filling next{now.asked + asked, now.slices + 1, 0};
    const std::uint64_t bytes = add_up_to_limit(now.framebuffer_bytes, one.framebuffer_bytes);
    if (next.slices > kind.max_slices) return;
    if (kind.framebuffer_bytes != 0 && bytes > kind.framebuffer_bytes) return;
    if (kind.framebuffer_bytes != 0) next.framebuffer_bytes = bytes;
    add_step(node, node_of(next), one.step);
  }

  std::vector<Staying> staying_inside(const Inside& inside) {
    std::vector<Staying> all;
    for (int t = 0; inside.existing >= 0 && at(t) < room_.taken.size(); ++t) {
      const int column = column_of_taken(t);
      if (column < 0 || room_.taken[at(t)].instance != inside.existing) continue;
      const int o = room_.taken[at(t)].offer;
      if (fits_inside(inside, o)) {
        all.push_back({supply_.offer(o).framebuffer_bytes, column_step(column, t)});
      }
    }
    return all;
  }

  std::vector<Staying> any_inside(const Inside& inside) {
    std::vector<Staying> all;
    for (int c = 0; inside.columns && at(c) < question_.columns.size(); ++c) {
      const int o = question_.columns[at(c)].offer;
      if (is_needed(c) && fits_inside(inside, o)) {
        all.push_back({supply_.offer(o).framebuffer_bytes, column_step(c)});
      }
    }
    for (const Group& group : supply_.groups()) {
      if (group.gpu_instance == inside.kind && worth_more(group) &&
          (!inside.size || group.framebuffer_bytes == *inside.size)) {
        all.push_back({group.framebuffer_bytes, further_step(group)});
      }
    }
    return all;
  }

  CardGraph sorted() {
    std::vector<int> order;
    for (int n = 0; at(n) < drafts_.size(); ++n) order.push_back(n);
    std::ranges::stable_sort(order, {}, [&](int n) { return drafts_[at(n)].place; });
    std::vector<int> now_at(order.size());
    for (int n = 0; at(n) < order.size(); ++n) now_at[at(order[at(n)])] = n;
    for (const int n : order) {
      for (Step& step : drafts_[at(n)].steps) step.to = now_at[at(step.to)];
      graph_.nodes.push_back(std::move(drafts_[at(n)].steps));
    }
    return std::move(graph_);
  }

  const CardQuestion& question_;
  const Room& room_;
  const Standing& fixed_;
  CardSupply supply_;
  std::vector<Draft> drafts_;
  CardGraph graph_;
};

/// The sizes that slices outside GPU instances may have: of those that stay, else of those wanted.
/// Where GPU instances are there too, further slices outside them may have any.
std::set<std::uint64_t> sizes_to_try(const CardQuestion& question, const Standing& fixed) {
  const Room& room = *question.room;
  if (fixed.size) return {*fixed.size};
  std::set<std::uint64_t> sizes;
  bool in_instances = false;
  for (const Column& column : question.columns) {
    const Offer& offer = room.offers[at(column.offer)];
    if (offer.gpu_instance < 0) sizes.insert(offer.framebuffer_bytes);
    in_instances = in_instances || offer.gpu_instance >= 0;
  }
  for (const Offer& offer : room.offers) {
    const bool mixes = in_instances || fixed.slices > 0;
    if (mixes && offer.gpu_instance < 0) sizes.insert(offer.framebuffer_bytes);
  }
  if (sizes.empty()) sizes.insert(0);
  return sizes;
}

}  // namespace

std::vector<CardGraph> card_graphs(const CardQuestion& question) {
  const Room& room = *question.room;
  std::vector<bool> stays;
  for (const Taken& taken : room.taken) {
    const bool moves = question.moves == Moves::allowed && taken.movable;
    const bool known = taken.offer >= 0 && at(taken.offer) < room.offers.size();
    stays.push_back(!moves || !known);
  }
  const Standing fixed = standing_of(room, stays);
  if (!fixed.holds) return {};
  std::vector<CardGraph> graphs;
  if (room.rule == SizeRule::mixed) {
    graphs.push_back(Builder(question, fixed, std::nullopt).build());
    return graphs;
  }
  for (const std::uint64_t size : sizes_to_try(question, fixed)) {
    graphs.push_back(Builder(question, fixed, size).build());
  }
  return graphs;
}

}  // namespace tessera::plan::slices
