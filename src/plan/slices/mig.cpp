// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/mig.h"

#include <algorithm>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/slices/availability.h"
#include "plan/slices/nvidia_mode.h"
#include "plan/slices/virtual_functions.h"

namespace tessera::plan::slices {

using model::Expectation;
using model::GpuInstanceProfile;
using model::Operation;
using model::Plan;
using model::Profile;
using model::SliceSource;
using model::Step;
using What = model::Expectation::What;

namespace {

constexpr NvidiaMode mig_mode = {"mig.mode", "current_mig", "-i {} -mig {}",
                                 120'000};  // some cards are reset by it

// --- the mode ---

bool is_mig_backed(const Profile* profile) {
  return profile->gpu_instance_slices > 0;
}

/// Whether only MIG-backed profiles grant the wish.
bool wants_mig(const SliceSource& source, const Wish& wish) {
  const auto profiles = granting(source, wish);
  return !profiles.empty() && std::ranges::all_of(profiles, is_mig_backed);
}

Status check_can_turn_on(const SliceSource& source, const SliceIntent& intent, const Wish& first) {
  if (!source.slices.empty()) {
    return fail(ErrorKind::conflict, to_string(first),
                fmt::format("it is MIG-backed, and MIG mode changes only on an empty card: on {} "
                            "stand {}",
                            source.device, standing_on(source)),
                fmt::format("tessera unslice --card {}, then ask again", source.device));
  }
  for (const auto& wish : intent.wishes) {
    const auto profiles = granting(source, wish);
    if (std::ranges::any_of(profiles, is_mig_backed)) continue;
    return fail(ErrorKind::conflict, to_string(wish),
                fmt::format("{} is MIG-backed, and beside it a card has MIG-backed slices only",
                            to_string(first)),
                fmt::format("tessera profiles {} shows which those are", source.device));
  }
  return {};
}

// --- GPU instances ---

std::string smi_mig(const SliceSource& source, std::string_view rest) {
  return fmt::format("mig -i {} {}", source.device, rest);
}

/// The row of an instance in `nvidia-smi mig -lgi`; its group is the number.
std::string row_pattern(const GpuInstanceProfile& kind, int start) {
  return fmt::format("MIG [^ ]+ +{} +([0-9]+) +{}:", kind.id, start);
}

std::string listing(const SliceSource& source) {
  return fmt::format("{} {}", kernel::files::nvidia_smi, smi_mig(source, "-lgi"));
}

bool is_for_media(std::string_view kind) {
  return kind.find("+me") != std::string_view::npos;
}

bool is_for_graphics(std::string_view kind) {
  return kind.find("+gfx") != std::string_view::npos;
}

}  // namespace

const GpuInstanceProfile* instance_kind(const SliceSource& source, const Profile& profile) {
  const auto name = model::parse_nvidia_type_name(profile.name);
  if (profile.gpu_instance_slices == 0 || !name) return nullptr;
  const bool media = name->suffix == "ME";
  const bool draws = name->series != "C";
  const auto rank = [&](const GpuInstanceProfile& kind) {
    return std::tuple(is_for_graphics(kind.name) != draws, kind.framebuffer_bytes);
  };
  const GpuInstanceProfile* best = nullptr;
  for (const auto& kind : source.gpu_instance_profiles) {
    const bool fits = kind.slices == profile.gpu_instance_slices &&
                      is_for_media(kind.name) == media &&
                      kind.framebuffer_bytes >= name->framebuffer_bytes;
    if (fits && (best == nullptr || rank(kind) < rank(*best))) best = &kind;
  }
  return best;
}

Operation turn_on_mig(const SliceSource& source) {
  return turn_on(source, mig_mode, fmt::format("MIG mode on {}", source.device),
                 "only in this mode a card has GPU instances",
                 "as it was; it changes only while the card is empty");
}

Operation make_gpu_instance(const SliceSource& source, const GpuInstanceProfile& kind, int start) {
  const auto row = row_pattern(kind, start);
  const Expectation is_there = {What::tool_says, listing(source), row};
  const Expectation is_not_there = {What::tool_says_not, listing(source), row};
  Operation op;
  op.kind = "mig.instance";
  op.subject = source.device;
  op.reason = fmt::format("a GPU instance {} at {} of {}", kind.name, start, source.device);
  op.before = {is_not_there};
  Step make = run_nvidia_smi(smi_mig(source, fmt::format("-cgi {}:{} -C", kind.id, start)),
                             "vGPUs of its kind stand in it; -C makes the compute instance in it");
  make.then = {is_there};
  op.forward = {make};
  op.after = {is_there};
  Step empty = run_nvidia_smi(smi_mig(source, "-dci -gi {}"), "what is in it goes before it does");
  empty.word = {listing(source), row};
  empty.only_if = {is_there};
  Step remove = run_nvidia_smi(smi_mig(source, "-dgi -gi {}"), "as it was");
  remove.word = empty.word;
  remove.only_if = {is_there};
  remove.then = {is_not_there};
  op.undo = {empty, remove};
  op.after_undo = {is_not_there};
  return op;
}

Result<bool> plan_mig_mode(const std::vector<const SliceSource*>& sources,
                           const SliceIntent& intent, Plan& plan) {
  if (sources.size() != 1 || !(sources.front()->mig == model::Reading<bool>(false))) return false;
  const SliceSource& source = *sources.front();
  const auto first = std::ranges::find_if(
      intent.wishes, [&](const Wish& wish) { return wants_mig(source, wish); });
  if (first == intent.wishes.end()) return false;
  TRY(check_can_turn_on(source, intent, *first));
  plan.title = fmt::format("turn on MIG mode of {}", source.device);
  if (source.vf_enabled.value_or(0) > 0) plan.operations.push_back(disable_functions(source));
  plan.operations.push_back(turn_on_mig(source));
  plan.notes.emplace_back("what can be cut is known when the mode is on");
  plan.more = true;
  return true;
}

bool plan_gpu_instances(const std::vector<const SliceSource*>& sources, const Layout& layout,
                        Plan& plan) {
  for (const auto& made : layout.instances) {
    const SliceSource& source = *sources[static_cast<std::size_t>(made.room)];
    for (const auto& instance : made.instances) {
      const auto& kind = source.gpu_instance_profiles[static_cast<std::size_t>(instance.kind)];
      plan.operations.push_back(make_gpu_instance(source, kind, instance.start));
    }
  }
  if (plan.operations.empty()) return false;
  plan.title = fmt::format("make GPU instances on {}", plan.operations.front().subject);
  plan.notes.emplace_back("what can be cut in them is known when they are there");
  plan.more = true;
  return true;
}

}  // namespace tessera::plan::slices
