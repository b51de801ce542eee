// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/room.h"

#include <algorithm>
#include <array>

#include "base/units.h"
#include "plan/slices/mig.h"

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
constexpr int most_nvidia_slices_with_mig = 48;

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

bool in_mig_mode(const SliceSource& source) {
  return source.mig == model::Reading<bool>(true);
}

/// Index of the kind of GPU instance that the profile stands in; -1 where it stands in none.
int kind_index(const SliceSource& source, const Profile& profile) {
  const auto* const kind = in_mig_mode(source) ? instance_kind(source, profile) : nullptr;
  return kind ? static_cast<int>(kind - source.gpu_instance_profiles.data()) : -1;
}

/// How many of the profile stand in one GPU instance: one on A100 and H100; where NVIDIA says how
/// many the whole card has, that by the number of its instances.
int slices_in_one(const Profile& profile, const model::GpuInstanceProfile& kind) {
  return profile.max_instances.value_or(1) / std::max(kind.max_instances, 1);
}

GpuInstanceKind kind_of(const SliceSource& source, const model::GpuInstanceProfile& from) {
  GpuInstanceKind kind{from.name, from.length, from.starts, from.max_instances, 1, 0};
  for (const auto& profile : source.profiles) {
    if (instance_kind(source, profile) != &from) continue;
    kind.max_slices = std::max(kind.max_slices, slices_in_one(profile, from));
  }
  if (kind.max_slices > 1) kind.framebuffer_bytes = from.framebuffer_bytes;
  return kind;
}

/// In the source's order, kinds as well as instances.
void take_instances(const SliceSource& source, Room& room) {
  for (const auto& from : source.gpu_instance_profiles) {
    room.gpu_instances.push_back(kind_of(source, from));
    room.memory_slices = std::max(room.memory_slices, from.starts.back() + from.length);
  }
  for (const auto& instance : source.gpu_instances) {
    const auto kind = &source.kind_of(instance) - source.gpu_instance_profiles.data();
    room.instances.push_back({static_cast<int>(kind), instance.start});
  }
}

Offer offer_of(const SliceSource& source, const Profile& profile, const Room& room) {
  Offer offer;
  offer.type = profile.type;
  offer.framebuffer_bytes = profile.framebuffer_bytes.value_or(0);
  offer.max_instances = most_of(source, profile, room.framebuffer_bytes);
  offer.gpu_instance = kind_index(source, profile);
  const int possible = slices_of_type(source, profile.type) + source.available(profile.type);
  // A GPU instance that is missing can be made, and the driver counts only those that are there.
  if (offer.gpu_instance < 0) offer.max_instances = std::min(offer.max_instances, possible);
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

/// Index in Room::instances, which has them in the source's order; -1 where it is not known.
int instance_index(const SliceSource& source, int id) {
  const auto found = std::ranges::find(source.gpu_instances, id, &model::GpuInstance::id);
  return found == source.gpu_instances.end()
             ? -1
             : static_cast<int>(found - source.gpu_instances.begin());
}

void take_slices(const SliceSource& source, Room& room) {
  for (const auto& slice : source.slices) {
    Taken taken;
    taken.offer = offer_index(slice.type, room);
    if (room.units > 0 && slice.placement_id.has_value()) taken.start = slice.placement_id.value();
    if (slice.gpu_instance.has_value()) {
      taken.instance = instance_index(source, slice.gpu_instance.value());
    }
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
  // is, unless the driver was asked for all of them.
  const bool all_known = std::ranges::any_of(
      source.profiles, [](const Profile& profile) { return profile.max_instances.has_value(); });
  if (source.framework == Framework::vendor_vfio && !source.slices.empty() && !all_known) return 0;
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
  const bool mig = in_mig_mode(source);
  const int most = mig ? most_nvidia_slices_with_mig : most_nvidia_slices;
  room.max_slices = is_nvidia(source) ? most : INT32_MAX;
  if (mig) take_instances(source, room);
  if (slices_on_functions(source.framework)) {
    room.max_slices = std::min(room.max_slices, static_cast<int>(source.parents.size()));
  }
  if (equal && !mig && !source.slices.empty()) {
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

int most_that_fit(const std::vector<Room>& rooms, Want want) {
  int low = 0;
  int high = want.count;
  while (low < high) {
    want.count = (low + high + 1) / 2;
    std::holds_alternative<Layout>(find_layout(rooms, {want})) ? low = want.count
                                                               : high = want.count - 1;
  }
  return low;
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
