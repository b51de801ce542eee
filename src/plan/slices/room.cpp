// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/room.h"

#include <algorithm>
#include <array>

#include "base/units.h"

namespace tessera::plan::slices {

namespace {

using model::Framework;
using model::Profile;
using model::Slice;
using model::SliceSource;

// drivers/gpu/drm/i915/gvt: what the host keeps for itself, and the fences of generation 8 on.
constexpr std::uint64_t gvt_host_low = 128 * mib;
constexpr std::uint64_t gvt_host_high = 384 * mib;
constexpr std::uint64_t gvt_memory = 4 * gib;
constexpr std::uint64_t gvt_fences = 32 - 4;

// What NVIDIA's manager allows on one card outside of MIG (open-gpu-kernel-modules).
constexpr int most_nvidia_slices = 32;

bool is_nvidia(const SliceSource& source) {
  return std::ranges::any_of(source.profiles, [](const Profile& p) { return !p.series.empty(); });
}

bool slices_on_functions(Framework framework) {
  return framework != Framework::mdev && framework != Framework::gvt_g;
}

std::vector<std::uint64_t> gvt_budgets(std::uint64_t aperture) {
  return {aperture - gvt_host_low, gvt_memory - aperture - gvt_host_high, gvt_fences};
}

std::vector<std::uint64_t> gvt_needs(const model::GvtShare& share) {
  return {share.low_bytes, share.high_bytes, static_cast<std::uint64_t>(share.fences)};
}

/// What is left of the budgets after the slices that exist.
std::vector<std::uint64_t> left_of(std::vector<std::uint64_t> budgets, const SliceSource& source) {
  for (const auto& slice : source.slices) {
    const Profile* const profile = source.profile(slice.type);
    if (!profile || !profile->gvt) continue;
    const auto needs = gvt_needs(*profile->gvt);
    for (std::size_t i = 0; i < budgets.size(); ++i) budgets[i] -= std::min(budgets[i], needs[i]);
  }
  return budgets;
}

std::uint64_t count_in(const std::vector<std::uint64_t>& budgets, const model::GvtShare& share) {
  const auto needs = gvt_needs(share);
  std::uint64_t count = UINT64_MAX;
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    if (needs[i] > 0) count = std::min(count, budgets[i] / needs[i]);
  }
  return count == UINT64_MAX ? 0 : count;
}

bool explains_counts(std::uint64_t aperture, const SliceSource& source) {
  const auto left = left_of(gvt_budgets(aperture), source);
  return std::ranges::all_of(source.profiles, [&](const Profile& profile) {
    return profile.gvt && count_in(left, *profile.gvt) ==
                              static_cast<std::uint64_t>(source.available(profile.type));
  });
}

int units_of(std::uint64_t bytes) {
  return static_cast<int>((bytes + gib - 1) / gib);
}

int slices_of_type(const SliceSource& source, const std::string& type) {
  return static_cast<int>(std::ranges::count(source.slices, type, &Slice::type));
}

/// On a card that holds nothing else. The driver's word first; where it gives none, what the
/// framebuffer has room for.
int most_of(const SliceSource& source, const Profile& profile, std::uint64_t framebuffer) {
  const int places = slices_on_functions(source.framework) ? static_cast<int>(source.parents.size())
                                                           : most_nvidia_slices * 4;
  const auto bytes = profile.framebuffer_bytes.value_or(0);
  if (profile.max_instances.has_value()) return profile.max_instances.value();
  if (bytes == 0 || framebuffer == 0) return places;
  return std::min(places, static_cast<int>(framebuffer / bytes));
}

Offer offer_of(const SliceSource& source, const Profile& profile, const Room& room) {
  Offer offer;
  offer.type = profile.type;
  offer.framebuffer_bytes = profile.framebuffer_bytes.value_or(0);
  offer.max_instances = most_of(source, profile, room.framebuffer_bytes);
  const int possible = slices_of_type(source, profile.type) + source.available(profile.type);
  offer.max_instances = std::min(offer.max_instances, possible);
  if (!room.budgets.empty() && profile.gvt) offer.needs = gvt_needs(*profile.gvt);
  if (room.units > 0 && offer.framebuffer_bytes > 0) {
    offer.length = units_of(offer.framebuffer_bytes);
    offer.starts = halving_starts(room.units, offer.length);
  }
  return offer;
}

/// A slice of a type that is not listed any more still takes its place.
int offer_index(const std::string& type, Room& room) {
  const auto known = std::ranges::find(room.offers, type, &Offer::type);
  if (known != room.offers.end()) return static_cast<int>(known - room.offers.begin());
  Offer offer;
  offer.type = type;
  offer.max_instances = most_nvidia_slices * 4;
  room.offers.push_back(std::move(offer));
  return static_cast<int>(room.offers.size()) - 1;
}

void take_slices(const SliceSource& source, Room& room) {
  for (const auto& slice : source.slices) {
    Taken taken;
    taken.offer = offer_index(slice.type, room);
    if (room.units > 0 && slice.placement_id.has_value()) taken.start = slice.placement_id.value();
    room.taken.push_back(taken);
  }
}

int most_available(const SliceSource& source) {
  int most = 0;
  for (const auto& profile : source.profiles) {
    most = std::max(most, source.available(profile.type));
  }
  return most;
}

void halve(int from, int to, int size, int depth, bool right, std::vector<int>& starts) {
  // Bounds in sixteenths of a unit, so that halves of odd regions stay whole numbers.
  const int half = (to - from) / 2;
  if (depth > 0 && half >= size) {
    halve(from, from + half, size, depth - 1, false, starts);
    halve(from + half, to, size, depth - 1, true, starts);
    return;
  }
  starts.push_back(right ? to - size : from);
}

}  // namespace

std::vector<int> halving_starts(int region, int size) {
  constexpr int parts = 16;
  constexpr int halvings = 4;
  std::vector<int> starts;
  if (size <= 0 || size > region) return starts;
  halve(0, region * parts, size * parts, halvings, false, starts);
  for (auto& start : starts) start /= parts;
  std::ranges::sort(starts);
  const auto repeats = std::ranges::unique(starts);
  starts.erase(repeats.begin(), repeats.end());
  return starts;
}

std::uint64_t gvt_aperture(const SliceSource& source) {
  for (std::uint64_t size : std::array<std::uint64_t, 4>{256, 512, 1024, 2048}) {
    if (explains_counts(size * mib, source)) return size * mib;
  }
  return 0;
}

std::uint64_t framebuffer_for_slices(const SliceSource& source) {
  if (source.framebuffer_bytes.has_value()) return source.framebuffer_bytes.value();
  // Its list shrinks to what still fits, and the largest type in it tells no more how much there
  // is.
  if (source.framework == Framework::vendor_vfio && !source.slices.empty()) return 0;
  std::uint64_t most = 0;
  for (const auto& profile : source.profiles) {
    const auto bytes = profile.framebuffer_bytes.value_or(0);
    const auto count = static_cast<std::uint64_t>(std::max(profile.max_instances.value_or(1), 1));
    most = std::max(most, bytes * count);
  }
  return most;
}

Room room_of(const SliceSource& source) {
  Room room;
  room.card = source.device;
  const bool equal = is_nvidia(source) && !source.mixed_sizes.value_or(false);
  room.rule = equal ? SizeRule::equal : SizeRule::mixed;
  room.framebuffer_bytes = framebuffer_for_slices(source);
  if (is_nvidia(source) && !equal) room.units = units_of(room.framebuffer_bytes);
  room.max_slices = is_nvidia(source) ? most_nvidia_slices : INT32_MAX;
  if (slices_on_functions(source.framework)) {
    room.max_slices = std::min(room.max_slices, static_cast<int>(source.parents.size()));
  }
  if (equal && !source.slices.empty()) {
    // All further ones have the size that stands there, whatever their series.
    const int standing = static_cast<int>(source.slices.size());
    room.max_slices = std::min(room.max_slices, standing + most_available(source));
  }
  const auto aperture = source.framework == Framework::gvt_g ? gvt_aperture(source) : 0;
  if (aperture > 0) room.budgets = gvt_budgets(aperture);
  for (const auto& profile : source.profiles) {
    room.offers.push_back(offer_of(source, profile, room));
  }
  take_slices(source, room);
  return room;
}

Want want_of(const std::vector<const SliceSource*>& sources, const Wish& wish) {
  Want want;
  want.count = wish.count;
  for (const SliceSource* source : sources) {
    std::vector<int> accepts;
    for (const Profile* profile : granting(*source, wish)) {
      accepts.push_back(static_cast<int>(profile - source->profiles.data()));
    }
    want.accepts.push_back(std::move(accepts));
  }
  return want;
}

}  // namespace tessera::plan::slices
