// SPDX-License-Identifier: Apache-2.0
// Refusals of mediated devices (drivers/vfio/mdev/{mdev_core,mdev_sysfs}.c of Linux 6.1 to 7.1, and
// what vendors' drivers answer through them).
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "base/uuid.h"
#include "plan/slices/availability.h"
#include "plan/slices/explain/explain_support.h"

namespace tessera::plan::slices {

namespace {

using model::Framework;

bool creates(const Refusal& refusal) {
  return refusal.attempt == Attempt::create_mdev;
}

/// NVIDIA's driver answers EINVAL or EIO where the kernel's core would say that nothing is left.
bool says_no_room(const Refusal& refusal) {
  return refusal.error_number == EUSERS || refusal.error_number == ENOSPC ||
         refusal.error_number == EINVAL || refusal.error_number == EIO;
}

std::string wanted(const Refusal& refusal) {
  return refusal.profile ? refusal.profile->name : refusal.path;
}

std::uint64_t size_wanted(const Refusal& refusal) {
  return refusal.profile ? refusal.profile->framebuffer_bytes.value_or(0) : 0;
}

/// The size of what stands on the card; 0 where nothing of a known size does.
std::uint64_t size_standing(const Refusal& refusal) {
  if (!refusal.source) return 0;
  for (const auto& slice : refusal.source->slices) {
    const auto* const profile = refusal.source->profile(slice.type);
    if (profile && profile->framebuffer_bytes.has_value()) {
      return profile->framebuffer_bytes.value();
    }
  }
  return 0;
}

std::string what_fits(const Refusal& refusal) {
  if (!refusal.source) return {};
  std::vector<std::string> pieces;
  for (const auto& one : availability_of(*refusal.source)) {
    if (one.now > 0) pieces.push_back(fmt::format("{}x {}", one.now, one.profile->name));
  }
  return pieces.empty() ? "nothing more fits; tessera list slices shows what stands there"
                        : "one kind at a time, these fit now: " + text::join(pieces, ", ");
}

Explanation other_size(const Refusal& refusal) {
  return {fmt::format("{} is in equal-size mode and holds {} of {} each; {} is another size",
                      card_of(refusal), standing_on(*refusal.source),
                      text::size(size_standing(refusal)), wanted(refusal)),
          what_fits(refusal)};
}

Explanation full(const Refusal& refusal) {
  return {fmt::format("{} is full: it holds {}, and {} is of the same size", card_of(refusal),
                      standing_on(*refusal.source), wanted(refusal)),
          what_fits(refusal)};
}

Explanation shared_memory(const Refusal& refusal) {
  return {fmt::format("the graphics of {} have too little aperture, memory or fences left for {}: "
                      "{} stand there",
                      card_of(refusal), wanted(refusal), standing_on(*refusal.source)),
          what_fits(refusal)};
}

Explanation unseen(const Refusal& refusal) {
  return {fmt::format("the driver has no {} left, and no slice is seen on {}: the host itself, a "
                      "container or another manager uses the card",
                      wanted(refusal), card_of(refusal)),
          fmt::format("tessera show {} names who has it open", card_of(refusal))};
}

Explanation function_taken(const Refusal& refusal) {
  return {fmt::format("the virtual function {} holds a slice already, and it can hold one",
                      refusal.parent->device),
          "run the command again: it picks a free one"};
}

bool on_taken_function(const Refusal& refusal) {
  if (!refusal.source || !refusal.parent) return false;
  if (refusal.source->framework != Framework::mdev_on_vf) return false;
  for (const auto& slice : refusal.source->slices) {
    if (slice.parent == refusal.parent->device) return true;
  }
  return false;
}

bool is_gvt(const Refusal& refusal) {
  return refusal.source && refusal.source->framework == Framework::gvt_g;
}

constexpr auto rules = std::to_array<ExplanationRule>({
    {"mdev-name-taken", [](const Refusal& r) { return creates(r) && r.error_number == EEXIST; },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("a mediated device {} exists already, on this parent or another", r.text),
           "tessera list slices shows where"};
     }},
    {"mdev-name-malformed",
     [](const Refusal& r) { return creates(r) && r.error_number == EINVAL && !is_uuid(r.text); },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("'{}' is no UUID: the kernel takes 36 characters, and a line's end at most",
                       text::printable(r.text)),
           {}};
     }},
    {"mdev-function-taken",
     [](const Refusal& r) { return creates(r) && says_no_room(r) && on_taken_function(r); },
     function_taken},
    {"mdev-shared-memory",
     [](const Refusal& r) { return creates(r) && says_no_room(r) && is_gvt(r) && has_slices(r); },
     shared_memory},
    {"mdev-other-size",
     [](const Refusal& r) {
       return creates(r) && says_no_room(r) && size_standing(r) > 0 && size_wanted(r) > 0 &&
              size_standing(r) != size_wanted(r) && !r.source->mixed_sizes.value_or(false);
     },
     other_size},
    {"mdev-full", [](const Refusal& r) { return creates(r) && says_no_room(r) && has_slices(r); },
     full},
    {"mdev-no-gpu-instance",
     [](const Refusal& r) {
       return creates(r) && says_no_room(r) && r.profile && r.profile->gpu_instance_slices > 0;
     },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("{} stands in a GPU instance of {} slices, and {} has no free one",
                       wanted(r), r.profile->gpu_instance_slices, card_of(r)),
           "nvidia-smi mig -lgi shows those there are"};
     }},
    {"mdev-licence-or-manager",
     [](const Refusal& r) {
       return creates(r) && (log_says(r, "vgpu_mgr") || log_says(r, "nvidia-vgpu-mgr"));
     },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("NVIDIA's vGPU manager refused {}; its own line is in the log", wanted(r)),
           "journalctl -u nvidia-vgpu-mgr"};
     }},
    {"mdev-unseen-use",
     [](const Refusal& r) {
       return creates(r) && (r.error_number == EUSERS || r.error_number == ENOSPC);
     },
     unseen},
    {"mdev-parent-leaving", [](const Refusal& r) { return creates(r) && r.error_number == EAGAIN; },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("{} is just being taken from its driver, or a mediated device "
                       "on it is just being removed",
                       card_of(r)),
           "run the command again when that is over"};
     }},
    {"mdev-parent-gone",
     [](const Refusal& r) {
       return creates(r) && (r.error_number == ENODEV || r.error_number == ENOENT);
     },
     [](const Refusal& r) {
       return Explanation{
           fmt::format(
               "the type is not offered any more: the driver of {} was unbound, or its mode "
               "(MIG, mixed sizes, virtual functions) was changed in between",
               card_of(r)),
           "tessera profiles shows what it offers now"};
     }},
    {"mdev-remove-held",
     [](const Refusal& r) {
       return r.attempt == Attempt::remove_mdev &&
              (r.error_number == EBUSY || r.error_number == EAGAIN);
     },
     [](const Refusal&) {
       return Explanation{"a process has the mediated device open, or it is being removed already",
                          "tessera list slices names who uses it"};
     }},
    {"mdev-remove-gone",
     [](const Refusal& r) {
       return r.attempt == Attempt::remove_mdev &&
              (r.error_number == ENODEV || r.error_number == ENOENT);
     },
     [](const Refusal&) {
       return Explanation{"somebody else removed the mediated device first", "tessera list slices"};
     }},
});

}  // namespace

std::span<const ExplanationRule> mdev_explanations() {
  return rules;
}

}  // namespace tessera::plan::slices
