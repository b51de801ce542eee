// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/availability.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/slices/mig.h"
#include "plan/slices/room.h"

namespace tessera::plan::slices {

namespace {

using model::Framework;
using model::Profile;
using model::SliceSource;

/// The first size that stands on the card; 0 where none is known.
std::uint64_t size_standing(const SliceSource& source) {
  for (const auto& slice : source.slices) {
    const Profile* const profile = source.profile(slice.type);
    if (profile && profile->framebuffer_bytes.has_value()) {
      return profile->framebuffer_bytes.value();
    }
  }
  return 0;
}

/// The one size of which something is left; 0 where there are several, or none.
std::uint64_t only_size_left(const SliceSource& source) {
  std::uint64_t size = 0;
  for (const auto& profile : source.profiles) {
    const auto bytes = profile.framebuffer_bytes.value_or(0);
    if (source.available(profile.type) == 0 || bytes == size) continue;
    if (size != 0) return 0;
    size = bytes;
  }
  return size;
}

std::string why_gvt(const SliceSource& source, const Profile& profile) {
  const auto aperture = gvt_aperture(source);
  if (aperture == 0 || !profile.gvt) {
    return "the aperture, the graphics memory or the fences that are left do not suffice";
  }
  return fmt::format(
      "it takes {} of the aperture, {} of graphics memory and {} fences; of an aperture of {} the "
      "slices there ({}) leave too little",
      text::size(profile.gvt->low_bytes), text::size(profile.gvt->high_bytes), profile.gvt->fences,
      text::size(aperture), standing_on(source));
}

std::string why_size(const SliceSource& source, const Profile& profile, std::uint64_t standing) {
  const auto wanted = profile.framebuffer_bytes.value_or(0);
  if (standing == wanted) {
    return fmt::format("it has the size of those there, and they fill the card ({})",
                       standing_on(source));
  }
  return fmt::format(
      "all slices of a card have one size unless it is in mixed mode, and {} of {} each stand "
      "there",
      standing_on(source), text::size(standing));
}

std::string why_not(const SliceSource& source, const Profile& profile, int possible) {
  if (source.framework == Framework::gvt_g) return why_gvt(source, profile);
  if (profile.gpu_instance_slices > 0 && source.mig == model::Reading<bool>(false)) {
    return source.slices.empty()
               ? "it is for MIG mode, and that is off; `tessera slice` turns it on for it"
               : "it is for MIG mode, and that is off and changes only on an empty card";
  }
  if (profile.gpu_instance_slices == 0 && source.mig == model::Reading<bool>(true)) {
    return "it is for a card that is not in MIG mode";
  }
  if (const auto* const kind = instance_kind(source, profile)) {
    if (possible > 0) {
      return fmt::format(
          "it stands in a GPU instance {}, and none is free; `tessera slice` makes them, there is "
          "room for {}",
          kind->name, possible);
    }
    return fmt::format(
        "it stands in a GPU instance {}, none is free, and those there ({}) leave no room for one",
        kind->name, instances_on(source));
  }
  if (profile.gpu_instance_slices > 0) {
    return fmt::format("it wants a free GPU instance of {} slice{}", profile.gpu_instance_slices,
                       profile.gpu_instance_slices == 1 ? "" : "s");
  }
  const auto standing = size_standing(source);
  const bool mixed = source.mixed_sizes.value_or(false);
  if (standing > 0 && !mixed) return why_size(source, profile, standing);
  if (!source.slices.empty()) {
    return fmt::format("what stands there ({}) leaves no room for it", standing_on(source));
  }
  const auto left = only_size_left(source);
  if (left != 0) {
    return fmt::format(
        "only slices of {} are left, so one of that size must stand on the card, though it is not "
        "seen here; and all of a card have one size unless it is in mixed mode",
        text::size(left));
  }
  return "the driver counts none left, though no slice is seen here: somebody may use the whole "
         "card, or this recording shows only a part of the host";
}

/// How many of a profile fit by all rules that are known, at most so many.
int most_by_rules(const SliceSource& source, const Room& room, const Profile& profile, int limit) {
  const auto index = static_cast<int>(&profile - source.profiles.data());
  return most_that_fit({room}, {limit, {{index}}});
}

/// The kernel's count. Where it only lists what fits next, each virtual function lists it, and the
/// card's rules say how many of them can have it.
int makeable_now(const SliceSource& source, const Room& room, const Profile& profile) {
  const int listed = source.available(profile.type);
  if (source.framework != Framework::vendor_vfio || listed == 0) return listed;
  return std::max(1, most_by_rules(source, room, profile, listed));
}

/// In GPU instances that are there and in further ones; 0 for what stands in none.
int with_new_instances(const SliceSource& source, const Room& room, const Profile& profile) {
  if (instance_kind(source, profile) == nullptr) return 0;
  return most_by_rules(source, room, profile, static_cast<int>(source.parents.size()));
}

}  // namespace

std::string in_words(Framework framework) {
  switch (framework) {
    case Framework::mdev:
      return "mediated devices on the card";
    case Framework::gvt_g:
      return "GVT-g mediated devices";
    case Framework::mdev_on_vf:
      return "mediated devices on virtual functions";
    case Framework::vendor_vfio:
      return "vGPUs on virtual functions, by the vendor's own files";
    case Framework::xe:
      return "virtual functions with xe's quotas";
    case Framework::i915:
      return "virtual functions with i915's quotas";
    case Framework::sriov:
      return "virtual functions";
  }
  return {};
}

std::string standing_on(const SliceSource& source) {
  std::map<std::string, int> counts;
  for (const auto& slice : source.slices) ++counts[slice.name];
  std::vector<std::string> pieces;
  for (const auto& [name, count] : counts) pieces.push_back(fmt::format("{}x {}", count, name));
  return pieces.empty() ? "nothing" : text::join(pieces, ", ");
}

std::string instances_on(const SliceSource& source) {
  std::map<std::string, int> counts;
  for (const auto& instance : source.gpu_instances) ++counts[source.kind_of(instance).name];
  std::vector<std::string> pieces;
  for (const auto& [name, count] : counts) pieces.push_back(fmt::format("{}x {}", count, name));
  return pieces.empty() ? "none" : text::join(pieces, ", ");
}

std::vector<Availability> availability_of(const SliceSource& source) {
  std::vector<Availability> all;
  const Room room = room_of(source);
  const bool by_functions = source.framework == Framework::sriov ||
                            source.framework == Framework::xe ||
                            source.framework == Framework::i915;
  for (const auto& profile : source.profiles) {
    Availability one{&profile, makeable_now(source, room, profile), 0, {}};
    if (by_functions) {
      const int enabled = static_cast<int>(source.slices.size());
      one.now = enabled == 0 ? source.vf_total.value_or(0) : 0;
      if (enabled == 0 && source.driver == "nvidia") {
        one.now = 0;
        one.why_not =
            "they are off; `tessera slice` turns them on first, with NVIDIA's sriov-manage, and "
            "what "
            "can be made on them shows then";
      }
      if (enabled > 0) {
        one.why_not = fmt::format(
            "{} virtual functions are on, and their number changes only from none", enabled);
      }
    }
    one.possible = std::max(one.now, with_new_instances(source, room, profile));
    if (!by_functions && one.now == 0) {
      one.why_not = why_not(source, profile, one.possible);
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace tessera::plan::slices
