// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/standing.h"

#include <algorithm>
#include <limits>

namespace tessera::plan::slices {
namespace {

bool in_range(int index, std::size_t size) {
  return index >= 0 && static_cast<std::size_t>(index) < size;
}

bool disjoint(std::vector<std::pair<int, int>>& intervals) {
  std::ranges::sort(intervals);
  for (std::size_t i = 1; i < intervals.size(); ++i) {
    if (intervals[i].first < intervals[i - 1].second) return false;
  }
  return true;
}

/// Adds start and start + length, unless they leave the region.
bool add_interval(std::vector<std::pair<int, int>>& intervals, int start, int length, int region) {
  if (start < 0 || length > region || start > region - length) return false;
  intervals.emplace_back(start, start + length);
  return true;
}

bool agree(SizeRule rule, std::optional<std::uint64_t>& size, std::uint64_t bytes) {
  if (rule == SizeRule::mixed) return true;
  if (!size) size = bytes;
  return *size == bytes;
}

bool add_in_instance(const Room& room, const Offer& offer, const Taken& taken, Standing& all) {
  if (!in_range(taken.instance, room.instances.size())) return false;
  const GpuInstance& instance = room.instances[static_cast<std::size_t>(taken.instance)];
  if (instance.kind != offer.gpu_instance) return false;
  const GpuInstanceKind& kind = room.gpu_instances[static_cast<std::size_t>(instance.kind)];
  Standing::InInstance& in = all.instances[static_cast<std::size_t>(taken.instance)];
  ++in.slices;
  in.framebuffer_bytes = add_up_to_limit(in.framebuffer_bytes, offer.framebuffer_bytes);
  const bool fits = kind.framebuffer_bytes == 0 || in.framebuffer_bytes <= kind.framebuffer_bytes;
  return in.slices <= kind.max_slices && fits && agree(room.rule, in.size, offer.framebuffer_bytes);
}

bool add_slice(const Room& room, const Taken& taken, Standing& all) {
  if (!in_range(taken.offer, room.offers.size())) return false;
  const Offer& offer = room.offers[static_cast<std::size_t>(taken.offer)];
  ++all.slices;
  all.framebuffer_bytes = add_up_to_limit(all.framebuffer_bytes, offer.framebuffer_bytes);
  for (std::size_t b = 0; b < all.budgets.size(); ++b) {
    all.budgets[b] = add_up_to_limit(all.budgets[b], need_of(offer, b));
    if (all.budgets[b] > room.budgets[b]) return false;
  }
  if (++all.of_offer[static_cast<std::size_t>(taken.offer)] > offer.max_instances) return false;
  if (offer.gpu_instance >= 0) return add_in_instance(room, offer, taken, all);
  if (!agree(room.rule, all.size, offer.framebuffer_bytes)) return false;
  if (offer.length <= 0) return true;
  return taken.start && add_interval(all.intervals, *taken.start, offer.length, room.units);
}

bool add_instances(const Room& room, Standing& all) {
  std::vector<std::pair<int, int>> regions;
  for (const GpuInstance& instance : room.instances) {
    if (!in_range(instance.kind, room.gpu_instances.size())) return false;
    const auto k = static_cast<std::size_t>(instance.kind);
    const GpuInstanceKind& kind = room.gpu_instances[k];
    if (kind.length <= 0 || ++all.of_kind[k] > kind.max_instances) return false;
    if (!add_interval(regions, instance.start, kind.length, room.memory_slices)) return false;
  }
  return disjoint(regions);
}

}  // namespace

std::uint64_t add_up_to_limit(std::uint64_t a, std::uint64_t b) {
  constexpr auto limit = std::numeric_limits<std::uint64_t>::max();
  return a > limit - b ? limit : a + b;
}

std::uint64_t need_of(const Offer& offer, std::size_t budget) {
  return budget < offer.needs.size() ? offer.needs[budget] : 0;
}

Standing standing_of(const Room& room, const std::vector<bool>& stays) {
  Standing all;
  all.of_offer.resize(room.offers.size());
  all.budgets.resize(room.budgets.size());
  all.instances.resize(room.instances.size());
  all.of_kind.resize(room.gpu_instances.size());
  all.holds = add_instances(room, all);
  for (std::size_t t = 0; all.holds && t < room.taken.size(); ++t) {
    if (stays[t]) all.holds = add_slice(room, room.taken[t], all);
  }
  const bool fits = room.framebuffer_bytes == 0 || all.framebuffer_bytes <= room.framebuffer_bytes;
  all.holds = all.holds && fits && all.slices <= room.max_slices && disjoint(all.intervals);
  return all;
}

}  // namespace tessera::plan::slices
