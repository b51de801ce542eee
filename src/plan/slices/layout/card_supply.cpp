// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/layout/card_supply.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "plan/slices/layout/index.h"

namespace tessera::plan::slices {
namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

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

}  // namespace

CardSupply::CardSupply(const CardQuestion& question, const Standing& fixed,
                       std::optional<std::uint64_t> size)
    : question_(question), room_(*question.room), fixed_(fixed), size_(size) {
  group_offers();
  for (Group& group : groups_) group.most = most_of(group);
  make_limits();
}

const Group& CardSupply::group_of(int o) const {
  return groups_[at(group_of_[at(o)])];
}

const Offer& CardSupply::offer(int o) const {
  return room_.offers[at(o)];
}

bool CardSupply::usable(int o) const {
  if (offer(o).gpu_instance < 0) return !size_ || offer(o).framebuffer_bytes == *size_;
  return at(offer(o).gpu_instance) < room_.gpu_instances.size();
}

std::uint64_t CardSupply::left_of(int o) const {
  return static_cast<std::uint64_t>(std::max(0, offer(o).max_instances - fixed_.of_offer[at(o)]));
}

bool CardSupply::is_free(int start, int length) const {
  return std::ranges::none_of(fixed_.intervals, [&](const auto& taken) {
    return start < taken.second && taken.first < start + length;
  });
}

Group CardSupply::group_of_one(int o) const {
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

void CardSupply::group_offers() {
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

int CardSupply::slices_left() const {
  return std::max(0, room_.max_slices - fixed_.slices);
}

std::uint64_t CardSupply::framebuffer_left() const {
  return room_.framebuffer_bytes == 0 ? no_limit
                                      : room_.framebuffer_bytes - fixed_.framebuffer_bytes;
}

std::vector<int> CardSupply::free_starts(int kind) const {
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

int CardSupply::kinds_left(int kind) const {
  return std::max(0, room_.gpu_instances[at(kind)].max_instances - fixed_.of_kind[at(kind)]);
}

int CardSupply::most_new(int kind) const {
  std::vector<std::pair<int, int>> regions;
  for (const int start : free_starts(kind)) {
    regions.emplace_back(start + room_.gpu_instances[at(kind)].length, start);
  }
  return most_disjoint(std::move(regions));
}

std::uint64_t CardSupply::most_in_instances(int kind) const {
  const int instances = fixed_.of_kind[at(kind)] + std::min(kinds_left(kind), most_new(kind));
  return static_cast<std::uint64_t>(instances) *
         static_cast<std::uint64_t>(std::max(0, room_.gpu_instances[at(kind)].max_slices));
}

std::uint64_t CardSupply::most_by_needs(const Group& group) const {
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

std::uint64_t CardSupply::most_of(const Group& group) const {
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

std::uint64_t CardSupply::most_slices() const {
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

bool CardSupply::framebuffer_may_bind() const {
  if (room_.framebuffer_bytes == 0) return false;
  const bool in_instances = instances_matter();
  for (const Group& group : groups_) {
    if (group.in_instance != in_instances) return true;
    if (!keeps_to_its_share(group)) return true;
  }
  return fixed_.framebuffer_bytes > share_of_fixed(in_instances);
}

std::uint64_t CardSupply::share(int length, int region) const {
  if (length <= 0 || region <= 0) return 0;
  return room_.framebuffer_bytes / static_cast<std::uint64_t>(region) *
         static_cast<std::uint64_t>(length);
}

bool CardSupply::keeps_to_its_share(const Group& group) const {
  if (!group.in_instance) return group.framebuffer_bytes <= share(group.length, room_.units);
  const GpuInstanceKind& kind = room_.gpu_instances[at(group.gpu_instance)];
  const std::uint64_t most =
      kind.max_slices <= 1 ? group.framebuffer_bytes : kind.framebuffer_bytes;
  return most <= share(kind.length, room_.memory_slices) &&
         (kind.max_slices <= 1 || kind.framebuffer_bytes != 0);
}

std::uint64_t CardSupply::share_of_fixed(bool in_instances) const {
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

int CardSupply::add_limit(std::uint64_t left) {
  limits_.left.push_back(left);
  return static_cast<int>(limits_.left.size()) - 1;
}

void CardSupply::make_limits() {
  const auto slices = static_cast<std::uint64_t>(slices_left());
  if (most_slices() > slices) limits_.slices = add_limit(slices);
  for (std::size_t b = 0; b < room_.budgets.size(); ++b) {
    limits_.budgets.push_back(add_limit(room_.budgets[b] - fixed_.budgets[b]));
  }
  for (Group& group : groups_) {
    if (group.left < group.most) group.limit = add_limit(group.left);
  }
  limits_.offers.assign(room_.offers.size(), -1);
  for (const Column& column : question_.columns) {
    const int o = column.offer;
    if (usable(o) && limits_.offers[at(o)] < 0 && !is_plenty(o)) {
      limits_.offers[at(o)] = add_limit(left_of(o));
    }
  }
  for (int kind = 0; at(kind) < room_.gpu_instances.size(); ++kind) {
    limits_.kinds.push_back(most_new(kind) > kinds_left(kind)
                                ? add_limit(static_cast<std::uint64_t>(kinds_left(kind)))
                                : -1);
  }
}

bool CardSupply::is_plenty(int o) const {
  return left_of(o) >= group_of(o).most;
}

bool CardSupply::instances_matter() const {
  return std::ranges::any_of(groups_, &Group::in_instance);
}

}  // namespace tessera::plan::slices
