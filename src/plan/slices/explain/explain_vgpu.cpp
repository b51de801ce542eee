// SPDX-License-Identifier: Apache-2.0
// Refusals of NVIDIA's own files on virtual functions. What the driver answers is known from those
// who have such hosts: EIO with "NVRM: Failed to add vgpu create request" for what it cannot make,
// EINVAL for what it does not know, ENXIO for a question about a vGPU that is not there.
#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/slices/availability.h"
#include "plan/slices/explain/explain_support.h"

namespace tessera::plan::slices {

namespace {

/// NVIDIA's limit for vgpu_params, in bytes (open-gpu-kernel-modules).
constexpr std::size_t most_settings = 1024;

bool creates(const Refusal& refusal) {
  return refusal.attempt == Attempt::create_vgpu;
}

bool fails(const Refusal& refusal) {
  return creates(refusal) && (refusal.error_number == EIO || refusal.error_number == ENOSPC ||
                              refusal.error_number == EINVAL);
}

std::string function(const Refusal& refusal) {
  return refusal.parent ? refusal.parent->device : refusal.path;
}

std::string wanted(const Refusal& refusal) {
  return refusal.profile ? refusal.profile->name : "type " + refusal.text;
}

std::string creatable(const Refusal& refusal) {
  std::vector<std::string> names;
  if (refusal.source) {
    for (const auto& profile : refusal.source->profiles) {
      if (refusal.source->available(profile.type) > 0) {
        names.push_back(fmt::format("{} ({})", profile.name, profile.type));
      }
    }
  }
  return names.empty() ? "nothing can be made there now" : "these can: " + text::join(names, ", ");
}

std::string shortest(const std::string& text) {
  constexpr std::size_t enough = 60;
  return text.size() <= enough ? text : text.substr(0, enough) + "...";
}

constexpr auto rules = std::to_array<ExplanationRule>({
    {"vgpu-function-taken",
     [](const Refusal& r) {
       return creates(r) && r.parent && r.parent->current_type.value_or(0) != 0;
     },
     [](const Refusal& r) {
       return Explanation{fmt::format("{} holds a vGPU of type {} already, and it can hold one",
                                      function(r), r.parent->current_type.value()),
                          "run the command again: it picks a free one"};
     }},
    {"vgpu-mig-off",
     [](const Refusal& r) {
       return fails(r) && r.profile && r.profile->gpu_instance_slices > 0 &&
              r.source->mig == model::Reading<bool>(false);
     },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("{} is MIG-backed, and {} is not in MIG mode", wanted(r), card_of(r)),
           fmt::format("nvidia-smi -i {} -mig 1, before virtual functions are on", card_of(r))};
     }},
    {"vgpu-no-gpu-instance",
     [](const Refusal& r) { return fails(r) && r.profile && r.profile->gpu_instance_slices > 0; },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("{} stands in a GPU instance of {} slices, and {} has no free one; turning "
                       "virtual functions on takes those away that there were",
                       wanted(r), r.profile->gpu_instance_slices, card_of(r)),
           fmt::format("nvidia-smi mig -i {} -lgip lists the kinds, -cgi makes one", card_of(r))};
     }},
    {"vgpu-unknown-type",
     [](const Refusal& r) { return creates(r) && r.error_number == EINVAL && !r.profile; },
     [](const Refusal& r) {
       return Explanation{fmt::format("{} knows no type {}", card_of(r), r.text), creatable(r)};
     }},
    {"vgpu-no-room", [](const Refusal& r) { return fails(r) && has_slices(r); },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("{} holds {}; {} is of another size, or there is no room left for it",
                       card_of(r), standing_on(*r.source), wanted(r)),
           creatable(r)};
     }},
    {"vgpu-manager-down",
     [](const Refusal& r) {
       return creates(r) && (r.error_number == EIO || r.error_number == ENODEV);
     },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("the driver could not make {} though {} is empty: its vGPU manager may not "
                       "run, or the type is not creatable there",
                       wanted(r), card_of(r)),
           "systemctl status nvidia-vgpud nvidia-vgpu-mgr, then dmesg | grep NVRM"};
     }},
    {"vgpu-create-held", [](const Refusal& r) { return creates(r) && r.error_number == EBUSY; },
     [](const Refusal& r) {
       return Explanation{fmt::format("a process has {} open", function(r)),
                          "tessera list slices names who uses it"};
     }},
    {"vgpu-destroy-held",
     [](const Refusal& r) {
       return r.attempt == Attempt::destroy_vgpu &&
              (r.error_number == EBUSY || r.error_number == EPERM || r.error_number == EIO);
     },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("the vGPU on {} is in use: its machine still runs", function(r)),
           "shut the machine down; tessera list slices names it"};
     }},
    {"vgpu-settings-too-long",
     [](const Refusal& r) {
       return r.attempt == Attempt::settings && r.text.size() > most_settings;
     },
     [](const Refusal& r) {
       return Explanation{fmt::format("the settings are {} bytes long, and the driver takes {}",
                                      r.text.size(), most_settings),
                          {}};
     }},
    {"vgpu-settings-late",
     [](const Refusal& r) {
       return r.attempt == Attempt::settings &&
              (r.error_number == EBUSY || r.error_number == EPERM);
     },
     [](const Refusal&) {
       return Explanation{"the vGPU runs already, and settings count from its start",
                          "shut its machine down first"};
     }},
    {"vgpu-settings-unknown",
     [](const Refusal& r) {
       return r.attempt == Attempt::settings && (r.error_number == EINVAL || r.error_number == EIO);
     },
     [](const Refusal& r) {
       return Explanation{
           fmt::format(
               "the driver does not take '{}': NAME=VALUE pairs with commas between them, of "
               "names that its plugin knows (frame_rate_limiter, disable_vnc, enable_uvm, "
               "...)",
               shortest(text::printable(r.text))),
           {}};
     }},
    {"vgpu-settings-absent",
     [](const Refusal& r) {
       return r.attempt == Attempt::settings &&
              (r.error_number == ENOENT || r.error_number == ENODEV || r.error_number == ENXIO);
     },
     [](const Refusal&) {
       return Explanation{"this slice takes no settings: only NVIDIA's vGPUs have vgpu_params",
                          "leave --set out"};
     }},
    {"vgpu-files-gone",
     [](const Refusal& r) {
       return creates(r) && (r.error_number == ENOENT || r.error_number == ENXIO);
     },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("{} has no vGPU files any more: virtual functions were turned off, or the "
                       "driver was taken from the card",
                       function(r)),
           "tessera profiles shows what is there now"};
     }},
});

}  // namespace

std::span<const ExplanationRule> vgpu_explanations() {
  return rules;
}

}  // namespace tessera::plan::slices
