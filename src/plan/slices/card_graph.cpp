// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/card_graph.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "plan/slices/standing.h"

namespace tessera::plan::slices {
namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();
/// A new GPU instance counts more than any sum of placement ids.
constexpr std::int64_t new_instance_penalty = std::int64_t{1} << 40;

std::size_t at(int index) {
  return static_cast<std::size_t>(index);
}

std::vector<int> starts_inside(const std::vector<int>& starts, int length, int region) {
  std::vector<int> inside;
  for (const int start : starts) {
    if (start >= 0 && length > 0 && length <= region && start <= region - length) {
      inside.push_back(start);
    }
  }
  std::ranges::sort(inside);
  inside.erase(std::ranges::unique(inside).begin(), inside.end());
  return inside;
}

/// How many intervals of these one can have at most without overlap.
int most_disjoint(std::vector<std::pair<int, int>> end_and_start) {
  std::ranges::sort(end_and_start);
  int free_from = 0;
  int count = 0;
  for (const auto& [end, start] : end_and_start) {
    if (start < free_from) continue;
    free_from = end;
    ++count;
  }
  return count;
}

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

/// A node while the graph is built; they are sorted by `place` at the end.
struct Draft {
  std::pair<int, int> place;
  std::vector<Step> steps;
};

class Builder {
 public:
  Builder(const CardQuestion& question, const Standing& fixed, std::optional<std::uint64_t> size)
      : question_(question), room_(*question.room), fixed_(fixed), size_(size) {}

  CardGraph build() {
    group_offers();
    for (Group& group : groups_) group.most = most_of(group);
    make_limits();
    const int loose = add_loose();
    const int line_end = add_line(loose);
    add_regions(line_end);
    return sorted();
  }

 private:
  // What may be placed.

  [[nodiscard]] const Offer& offer(int o) const { return room_.offers[at(o)]; }

  [[nodiscard]] bool usable(int o) const {
    if (offer(o).gpu_instance < 0) return !size_ || offer(o).framebuffer_bytes == *size_;
    return at(offer(o).gpu_instance) < room_.gpu_instances.size();
  }

  [[nodiscard]] std::uint64_t left_of(int o) const {
    return static_cast<std::uint64_t>(std::max(0, offer(o).max_instances - fixed_.of_offer[at(o)]));
  }

  /// Free for a slice: no fixed one stands there.
  [[nodiscard]] bool is_free(int start, int length) const {
    return std::ranges::none_of(fixed_.intervals, [&](const auto& taken) {
      return start < taken.second && taken.first < start + length;
    });
  }

  [[nodiscard]] Group group_of_one(int o) const {
    Group group;
    group.gpu_instance = offer(o).gpu_instance;
    group.in_instance = group.gpu_instance >= 0;
    group.framebuffer_bytes = offer(o).framebuffer_bytes;
    for (std::size_t b = 0; b < room_.budgets.size(); ++b) {
      group.needs.push_back(need_of(offer(o), b));
    }
    if (group.in_instance || offer(o).length <= 0) return group;
    group.length = offer(o).length;
    for (const int start : starts_inside(offer(o).starts, group.length, room_.units)) {
      if (is_free(start, group.length)) group.starts.push_back(start);
    }
    return group;
  }

  void group_offers() {
    group_of_.assign(room_.offers.size(), -1);
    for (int o = 0; at(o) < room_.offers.size(); ++o) {
      if (!usable(o)) continue;
      const Group one = group_of_one(o);
      auto found = std::ranges::find_if(groups_, [&](const Group& g) { return g.same(one); });
      if (found == groups_.end()) found = groups_.insert(groups_.end(), one);
      found->left += left_of(o);
      group_of_[at(o)] = static_cast<int>(found - groups_.begin());
    }
  }

  // How many there could be: a limit that cannot be reached is not counted.

  [[nodiscard]] int slices_left() const { return std::max(0, room_.max_slices - fixed_.slices); }

  [[nodiscard]] std::uint64_t framebuffer_left() const {
    return room_.framebuffer_bytes == 0 ? no_limit
                                        : room_.framebuffer_bytes - fixed_.framebuffer_bytes;
  }

  [[nodiscard]] std::vector<int> free_starts(int kind) const {
    const GpuInstanceKind& k = room_.gpu_instances[at(kind)];
    std::vector<int> free;
    for (const int start : starts_inside(k.starts, k.length, room_.memory_slices)) {
      const bool clear = std::ranges::none_of(room_.instances, [&](const GpuInstance& other) {
        return start < other.start + room_.gpu_instances[at(other.kind)].length &&
               other.start < start + k.length;
      });
      if (clear) free.push_back(start);
    }
    return free;
  }

  [[nodiscard]] int kinds_left(int kind) const {
    return std::max(0, room_.gpu_instances[at(kind)].max_instances - fixed_.of_kind[at(kind)]);
  }

  [[nodiscard]] int most_new(int kind) const {
    std::vector<std::pair<int, int>> regions;
    for (const int start : free_starts(kind)) {
      regions.emplace_back(start + room_.gpu_instances[at(kind)].length, start);
    }
    return most_disjoint(std::move(regions));
  }

  [[nodiscard]] std::uint64_t most_in_instances(int kind) const {
    const int instances = fixed_.of_kind[at(kind)] + std::min(kinds_left(kind), most_new(kind));
    return static_cast<std::uint64_t>(instances) *
           static_cast<std::uint64_t>(std::max(0, room_.gpu_instances[at(kind)].max_slices));
  }

  /// By what they need, whatever the number of slices.
  [[nodiscard]] std::uint64_t most_by_needs(const Group& group) const {
    std::uint64_t most = no_limit;
    if (group.framebuffer_bytes > 0) {
      most = std::min(most, framebuffer_left() / group.framebuffer_bytes);
    }
    for (std::size_t b = 0; b < group.needs.size(); ++b) {
      if (group.needs[b] == 0) continue;
      most = std::min(most, (room_.budgets[b] - fixed_.budgets[b]) / group.needs[b]);
    }
    return most;
  }

  [[nodiscard]] std::uint64_t most_of(const Group& group) const {
    const std::uint64_t most =
        std::min(most_by_needs(group), static_cast<std::uint64_t>(slices_left()));
    if (group.in_instance) return std::min(most, most_in_instances(group.gpu_instance));
    if (group.length == 0) return most;
    std::vector<std::pair<int, int>> regions;
    for (const int start : group.starts) regions.emplace_back(start + group.length, start);
    // movable slices may stand between the starts
    const auto staying = static_cast<std::uint64_t>(room_.taken.size());
    return std::min(most, static_cast<std::uint64_t>(most_disjoint(regions)) +
                              (question_.moves == Moves::allowed ? staying : 0));
  }

  /// At most this many slices can be added, whatever they are.
  [[nodiscard]] std::uint64_t most_slices() const {
    std::uint64_t most = 0;
    std::vector<std::pair<int, int>> regions;
    std::set<int> kinds;
    for (const Group& group : groups_) {
      if (group.in_instance) {
        kinds.insert(group.gpu_instance);
      } else if (group.length == 0) {
        most = add_up_to_limit(most, most_by_needs(group));
      } else {
        for (const int start : group.starts) regions.emplace_back(start + group.length, start);
      }
    }
    for (const int kind : kinds) most = add_up_to_limit(most, most_in_instances(kind));
    if (question_.moves == Moves::allowed) most = add_up_to_limit(most, room_.taken.size());
    return add_up_to_limit(most, static_cast<std::uint64_t>(most_disjoint(std::move(regions))));
  }

  /// Whether the framebuffer could be exceeded although placements, or GPU instances, do not
  /// overlap.
  [[nodiscard]] bool framebuffer_may_bind() const {
    if (room_.framebuffer_bytes == 0) return false;
    const bool in_instances = instances_matter();
    for (const Group& group : groups_) {
      if (group.in_instance != in_instances) return true;
      if (!keeps_to_its_share(group)) return true;
    }
    return fixed_.framebuffer_bytes > share_of_fixed(in_instances);
  }

  [[nodiscard]] std::uint64_t share(int length, int region) const {
    if (length <= 0 || region <= 0) return 0;
    return room_.framebuffer_bytes / static_cast<std::uint64_t>(region) *
           static_cast<std::uint64_t>(length);
  }

  [[nodiscard]] bool keeps_to_its_share(const Group& group) const {
    if (!group.in_instance) return group.framebuffer_bytes <= share(group.length, room_.units);
    const GpuInstanceKind& kind = room_.gpu_instances[at(group.gpu_instance)];
    const std::uint64_t most =
        kind.max_slices <= 1 ? group.framebuffer_bytes : kind.framebuffer_bytes;
    return most <= share(kind.length, room_.memory_slices) &&
           (kind.max_slices <= 1 || kind.framebuffer_bytes != 0);
  }

  [[nodiscard]] std::uint64_t share_of_fixed(bool in_instances) const {
    std::uint64_t sum = 0;
    for (const auto& [start, end] : fixed_.intervals) sum += share(end - start, room_.units);
    for (std::size_t i = 0; in_instances && i < room_.instances.size(); ++i) {
      if (fixed_.instances[i].slices == 0) continue;
      const int length = room_.gpu_instances[at(room_.instances[i].kind)].length;
      const std::uint64_t own = share(length, room_.memory_slices);
      if (fixed_.instances[i].framebuffer_bytes > own) return 0;
      sum += own;
    }
    return sum;
  }

  // Limits.

  int add_limit(std::uint64_t left) {
    graph_.limits.push_back(left);
    return static_cast<int>(graph_.limits.size()) - 1;
  }

  void make_limits() {
    graph_.framebuffer_bytes = framebuffer_left();
    graph_.framebuffer_binds = framebuffer_may_bind();
    const auto slices = static_cast<std::uint64_t>(slices_left());
    if (most_slices() > slices) slices_limit_ = add_limit(slices);
    for (std::size_t b = 0; b < room_.budgets.size(); ++b) {
      budget_limit_.push_back(add_limit(room_.budgets[b] - fixed_.budgets[b]));
    }
    for (Group& group : groups_) {
      if (group.left < group.most) group.limit = add_limit(group.left);
    }
    offer_limit_.assign(room_.offers.size(), -1);
    for (const Column& column : question_.columns) {
      const int o = column.offer;
      if (usable(o) && offer_limit_[at(o)] < 0 && !is_plenty(o)) {
        offer_limit_[at(o)] = add_limit(left_of(o));
      }
    }
    for (int kind = 0; at(kind) < room_.gpu_instances.size(); ++kind) {
      kind_limit_.push_back(most_new(kind) > kinds_left(kind)
                                ? add_limit(static_cast<std::uint64_t>(kinds_left(kind)))
                                : -1);
    }
  }

  /// There are more instances of this offer than the card can hold.
  [[nodiscard]] bool is_plenty(int o) const {
    return left_of(o) >= groups_[at(group_of_[at(o)])].most;
  }

  int add_use(const std::vector<int>& ones, const Group* needs) {
    if (graph_.limits.empty()) return -1;
    std::vector<std::uint64_t> row(graph_.limits.size());
    for (const int limit : ones) {
      if (limit >= 0) row[at(limit)] = 1;
    }
    for (std::size_t b = 0; needs != nullptr && b < budget_limit_.size(); ++b) {
      row[at(budget_limit_[b])] = needs->needs[b];
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
    const Group& group = groups_[at(group_of_[at(o)])];
    Step step;
    step.column = column;
    step.taken = taken;
    step.framebuffer_bytes = counted(group.framebuffer_bytes);
    step.use = add_use({slices_limit_, offer_limit_[at(o)], group.limit}, &group);
    return step;
  }

  Step further_step(const Group& group) {
    Step step;
    step.framebuffer_bytes = counted(group.framebuffer_bytes);
    step.use = add_use({slices_limit_, group.limit}, &group);
    return step;
  }

  [[nodiscard]] bool worth_more(const Group& group) const {
    return counted(group.framebuffer_bytes) > 0 && group.most > 0 && group.left > 0;
  }

  /// Of several offers of one class that are the same to the card and in plenty, the first does.
  [[nodiscard]] bool is_needed(int column) const {
    const Column& c = question_.columns[at(column)];
    if (!usable(c.offer)) return false;
    for (int before = column - 1; before >= 0; --before) {
      const Column& other = question_.columns[at(before)];
      if (other.slice_class != c.slice_class) break;
      if (usable(other.offer) && group_of_[at(other.offer)] == group_of_[at(c.offer)] &&
          is_plenty(other.offer)) {
        return false;
      }
    }
    return true;
  }

  /// The column in which a movable slice stays where it is; -1 when it cannot.
  [[nodiscard]] int column_of_taken(int t) const {
    const Taken& taken = room_.taken[at(t)];
    if (question_.moves == Moves::none || !taken.movable || taken.offer < 0 ||
        at(taken.offer) >= room_.offers.size() || !usable(taken.offer)) {
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
      if (column < 0 || groups_[at(group_of_[at(room_.taken[at(t)].offer)])].in_instance ||
          offer(room_.taken[at(t)].offer).length > 0) {
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
    for (const Group& group : groups_) {
      if (!group.in_instance && group.length == 0 && worth_more(group)) {
        add_step(further, further, further_step(group));
      }
    }
    return further;
  }

  [[nodiscard]] bool is_loose(int o) const {
    return offer(o).gpu_instance < 0 && offer(o).length <= 0;
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
      const Group& group = groups_[at(group_of_[at(question_.columns[at(c)].offer)])];
      if (group.length > 0) add_placements(group, column_step(c), all);
    }
    for (const Group& group : groups_) {
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
    if (column < 0 || is_loose(taken.offer) || offer(taken.offer).gpu_instance >= 0) return;
    const int length = offer(taken.offer).length;
    if (!taken.start || *taken.start < 0 || length > room_.units ||
        *taken.start > room_.units - length || !is_free(*taken.start, length)) {
      return;
    }
    Step step = column_step(column, t);
    step.start = taken.start;
    all.push_back({*taken.start, *taken.start + length, step});
  }

  // GPU instances: along the memory slices, a step enters an instance or passes one slice on.

  void add_regions(int before) {
    std::vector<int> nodes;
    const int length = instances_matter() ? std::max(0, room_.memory_slices) : 0;
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
      for (const int start : free_starts(kind)) {
        const int end = start + room_.gpu_instances[at(kind)].length;
        add_new(kind, start, nodes[at(start)], nodes[at(end)]);
      }
    }
  }

  [[nodiscard]] bool instances_matter() const {
    return std::ranges::any_of(groups_, &Group::in_instance);
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
    enter.use = add_use({kind_limit_[at(kind)]}, nullptr);
    add_by_size({kind, start, -1, false, std::nullopt}, enter, from, to);
    enter.penalty = new_instance_penalty;
    add_by_size({kind, start, -1, true, std::nullopt}, enter, from, to);
  }

  void add_by_size(Inside inside, const Step& enter, int from, int to) {
    if (room_.rule == SizeRule::mixed || inside.size) return add_inside(inside, enter, from, to);
    std::set<std::uint64_t> sizes;
    for (const Group& group : groups_) {
      if (group.gpu_instance == inside.kind) sizes.insert(group.framebuffer_bytes);
    }
    for (const std::uint64_t size : sizes) {
      inside.size = size;
      add_inside(inside, enter, from, to);
    }
  }

  [[nodiscard]] bool fits_inside(const Inside& inside, int o) const {
    return usable(o) && offer(o).gpu_instance == inside.kind &&
           (!inside.size || offer(o).framebuffer_bytes == *inside.size);
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
        all.push_back({offer(o).framebuffer_bytes, column_step(column, t)});
      }
    }
    return all;
  }

  std::vector<Staying> any_inside(const Inside& inside) {
    std::vector<Staying> all;
    for (int c = 0; inside.columns && at(c) < question_.columns.size(); ++c) {
      const int o = question_.columns[at(c)].offer;
      if (is_needed(c) && fits_inside(inside, o)) {
        all.push_back({offer(o).framebuffer_bytes, column_step(c)});
      }
    }
    for (const Group& group : groups_) {
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
  std::optional<std::uint64_t> size_;
  std::vector<Group> groups_;
  std::vector<int> group_of_;  ///< by offer; -1 where it is not usable
  int slices_limit_ = -1;
  std::vector<int> budget_limit_;
  std::vector<int> offer_limit_;
  std::vector<int> kind_limit_;
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
