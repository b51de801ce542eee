// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/cut.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/checks/bus_errors.h"
#include "plan/slices/availability.h"
#include "plan/slices/frameworks.h"
#include "plan/slices/layout/layout.h"
#include "plan/slices/mig.h"
#include "plan/slices/mixed_sizes.h"
#include "plan/slices/owners.h"
#include "plan/slices/quotas.h"
#include "plan/slices/room.h"
#include "plan/slices/virtual_functions.h"

namespace tessera::plan::slices {

using model::HostSnapshot;
using model::Plan;
using model::SliceSource;

namespace {

using Sources = std::vector<const SliceSource*>;

/// Why a card gets no new slices; null where nothing speaks against them.
const model::Finding* cordon_of(const HostSnapshot& host, const SliceSource& source) {
  const auto cordon = std::ranges::find_if(
      host.cordons, [&](const auto& one) { return source.card && one.card == source.card; });
  return cordon == host.cordons.end() ? nullptr : &*cordon;
}

Error cordoned(const SliceSource& source, const model::Finding& cordon) {
  const auto command = cordon.command.empty() ? "" : fmt::format(" ({})", cordon.command);
  return {ErrorKind::conflict, source.device,
          fmt::format("gets no new slices [{}]: {}", cordon.id, cordon.title),
          fmt::format("{} shows what was read. {}{}", shown_by(cordon), cordon.fix, command)};
}

Result<Sources> sources_of(const HostSnapshot& host, const SliceIntent& intent) {
  Sources sources;
  for (const auto& device : intent.devices) {
    TRY_LET(const SliceSource* const source, select_source(host, device));
    if (const auto* const cordon = cordon_of(host, *source)) {
      return fail(cordoned(*source, *cordon));
    }
    sources.push_back(source);
  }
  if (!intent.devices.empty()) return sources;
  std::optional<Error> kept_out;
  for (const auto& source : host.slice_sources) {
    const auto* const cordon = cordon_of(host, source);
    if (cordon != nullptr) kept_out = cordoned(source, *cordon);
    if (source.card && cordon == nullptr) sources.push_back(&source);
  }
  if (!sources.empty()) return sources;
  if (kept_out) return fail(std::move(*kept_out));
  return fail(ErrorKind::unsupported, host.source, "no card on this host can be cut into slices",
              "tessera doctor --for slices says what is missing");
}

std::string profile_names(const Sources& sources) {
  std::vector<std::string> names;
  for (const SliceSource* source : sources) {
    for (const auto& profile : source->profiles) {
      const auto size = profile.framebuffer_bytes;
      auto words = profile.name;
      if (size.has_value()) words += fmt::format(" ({})", text::size(size.value()));
      if (std::ranges::find(names, words) == names.end()) names.push_back(std::move(words));
    }
  }
  return text::join(names, ", ");
}

/// The card names only the types that can still be made, and some stand there already: what is not
/// listed may be a type of the card that has no room.
bool lists_only_what_fits(const SliceSource& source) {
  return source.framework == model::Framework::vendor_vfio && !source.slices.empty();
}

/// What a card says to another size than stands on it, while its mode of mixed sizes is off.
std::string about_mixed_sizes(const SliceSource& source) {
  if (!(source.mixed_sizes == model::Reading<bool>(false)) || source.slices.empty()) return {};
  return fmt::format(
      "; other sizes beside one need the mode of mixed sizes, which changes while the card is "
      "empty: "
      "tessera unslice --card {}, then ask for all of them at once",
      source.device);
}

Error not_listed_any_more(const SliceSource& source, const Wish& wish) {
  return {
      ErrorKind::conflict, to_string(wish),
      fmt::format("{} lists no type like that now, and it lists only what can still be made: {} "
                  "stand there",
                  source.device, standing_on(source)),
      source.profiles.empty()
          ? "the card is full: tessera unslice makes room, tessera list slices shows whose they "
            "are"
          : "there are still: " + profile_names({&source}) + about_mixed_sizes(source)};
}

/// A wish that no profile grants can be told from one for which there is no room.
Status check_profiles(const Sources& sources, const std::vector<Wish>& wishes) {
  for (const auto& wish : wishes) {
    const bool granted = std::ranges::any_of(
        sources, [&](const SliceSource* source) { return !granting(*source, wish).empty(); });
    if (granted) continue;
    for (const SliceSource* source : sources) {
      if (lists_only_what_fits(*source)) return fail(not_listed_any_more(*source, wish));
    }
    const auto where = sources.size() == 1 ? sources.front()->device : "these cards";
    return fail(ErrorKind::unsupported, to_string(wish),
                fmt::format("{} has no profile like that", where),
                "there are: " + profile_names(sources));
  }
  return {};
}

/// What can be made now in place of what was asked for: "4x GRID V100-4C, 8x GRID V100-2C".
std::string alternatives(const Sources& sources) {
  std::vector<std::string> pieces;
  for (const SliceSource* source : sources) {
    for (const auto& one : availability_of(*source)) {
      if (one.possible == 0) continue;
      pieces.push_back(
          fmt::format("{}x {} on {}", one.possible, one.profile->name, source->device));
    }
  }
  constexpr std::size_t enough = 8;
  if (pieces.size() > enough) pieces.resize(enough);
  if (pieces.empty()) return "nothing can be made here now; tessera profiles says why";
  return "one kind at a time, these fit now: " + text::join(pieces, ", ");
}

/// The rule that stands in the way of a wish of which not even one fits; empty otherwise.
std::string rule_against(const Sources& sources, const Wish& wish) {
  for (const SliceSource* source : sources) {
    const auto profiles = granting(*source, wish);
    if (profiles.empty()) continue;
    for (const auto& one : availability_of(*source)) {
      if (one.profile == profiles.front() && one.possible == 0) {
        return fmt::format("{} on {}: {}", one.profile->name, source->device, one.why_not);
      }
    }
  }
  return {};
}

Error no_room(const Sources& sources, const std::vector<Room>& rooms,
              const std::vector<Want>& wants, const std::vector<Wish>& wishes,
              const Impossible& proof) {
  Error error{ErrorKind::conflict, to_string(wishes), proof.reason, alternatives(sources)};
  if (sources.size() == 1) error.hint += about_mixed_sizes(*sources.front());
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    const int most = most_that_fit(rooms, wants[i]);
    if (most >= wishes[i].count) continue;
    const auto rule = most == 0 ? rule_against(sources, wishes[i]) : std::string{};
    error.sentence = rule.empty() ? fmt::format("of {} there is room for {}", to_string(wishes[i]),
                                                most == 0 ? "none" : std::to_string(most))
                                  : rule;
    return error;
  }
  error.sentence = "each kind fits by itself, all of them together do not";
  if (!proof.reason.empty()) error.sentence += ": " + proof.reason;
  return error;
}

/// The places that are still free while a plan takes them one by one.
class FreePlaces {
 public:
  /// Null where there is none, which a layout that holds excludes.
  const model::SliceParent* take(const SliceSource& source, const std::string& type) {
    const bool many_each =
        source.framework == model::Framework::mdev || source.framework == model::Framework::gvt_g;
    for (const auto& parent : source.parents) {
      const bool offered = std::ranges::any_of(parent.creatable, [&](const auto& creatable) {
        return creatable.type == type && creatable.available.value_or(0) > 0;
      });
      if (!offered || (!many_each && taken_.contains(parent.device))) continue;
      taken_.insert(parent.device);
      return &parent;
    }
    return nullptr;
  }

 private:
  std::set<std::string> taken_;
};

/// Turns the mode of mixed sizes on where that alone makes room on the one card that was named.
bool plan_mixed_sizes(const Sources& sources, const std::vector<Want>& wants, Plan& plan) {
  if (sources.size() != 1 || !can_mix_sizes(*sources.front())) return false;
  SliceSource mixed = *sources.front();
  mixed.mixed_sizes = true;
  if (std::holds_alternative<Impossible>(find_layout({room_of(mixed)}, wants))) return false;
  plan.title = fmt::format("let {} have slices of different sizes", mixed.device);
  plan.operations.push_back(mix_sizes(mixed));
  plan.notes.emplace_back("what can be cut is known when the mode is on");
  plan.more = true;
  return true;
}

Status add_slices(const HostSnapshot& host, const Sources& sources, const SliceIntent& intent,
                  const Layout& layout, Plan& plan) {
  FreePlaces places;
  std::size_t next_uuid = 0;
  for (const auto& seat : layout.seats) {
    const SliceSource& source = *sources[static_cast<std::size_t>(seat.room)];
    const auto& profile = source.profiles[static_cast<std::size_t>(seat.offer)];
    const auto* const parent = places.take(source, profile.type);
    const auto* const operations = operations_of(source.framework);
    if (!parent || !operations || next_uuid >= intent.uuids.size()) {
      return fail(ErrorKind::stale, source.device,
                  fmt::format("no place is left for {}", profile.name), "run the command again");
    }
    const NewSlice slice{source, *parent, profile, intent.uuids[next_uuid++], intent.settings};
    plan.operations.push_back(operations->create(slice));
    set_owner(host, identity_of(slice), intent.owner, plan);
  }
  return {};
}

void add_notes(const Sources& sources, const Layout& layout, Plan& plan) {
  for (std::size_t room = 0; room < sources.size(); ++room) {
    std::map<std::string, int> counts;
    for (const auto& seat : layout.seats) {
      if (static_cast<std::size_t>(seat.room) != room) continue;
      ++counts[sources[room]->profiles[static_cast<std::size_t>(seat.offer)].name];
    }
    std::vector<std::string> pieces;
    for (const auto& [name, count] : counts) pieces.push_back(fmt::format("{}x {}", count, name));
    if (pieces.empty()) continue;
    plan.notes.push_back(fmt::format("{} gets {}; {} stood there", sources[room]->device,
                                     text::join(pieces, ", "), standing_on(*sources[room])));
  }
  if (layout.stranded_bytes > 0) {
    plan.notes.push_back(
        fmt::format("{} of framebuffer are stranded: no further slice can have them",
                    text::size(layout.stranded_bytes)));
  }
}

std::string subject_of(const HostSnapshot& host, const Sources& sources) {
  const SliceSource& first = *sources.front();
  const model::Card* const card = first.card ? host.card_of(*first.card) : nullptr;
  return card ? card->identity : first.device;
}

}  // namespace

Result<Plan> plan_slices(const HostSnapshot& host, const SliceIntent& intent) {
  TRY_LET(const Sources sources, sources_of(host, intent));
  for (const SliceSource* source : sources) TRY(check_has_quotas(*source, intent.quotas));
  Plan plan;
  plan.title = fmt::format("slice {} into {}",
                           intent.devices.empty() ? "cards" : text::join(intent.devices, ", "),
                           to_string(intent.wishes));
  plan.subject = subject_of(host, sources);
  TRY_LET(const bool mode_first, plan_mig_mode(sources, intent, plan));
  if (mode_first) return plan;
  TRY_LET(const bool functions_first, plan_virtual_functions(host, sources, intent, plan));
  if (functions_first) return plan;
  TRY(check_profiles(sources, intent.wishes));
  std::vector<Room> rooms;
  for (const SliceSource* source : sources) rooms.push_back(room_of(*source));
  std::vector<Want> wants;
  for (const auto& wish : intent.wishes) wants.push_back(want_of(sources, wish));
  const auto answer = find_layout(rooms, wants);
  if (const auto* const proof = std::get_if<Impossible>(&answer)) {
    if (plan_mixed_sizes(sources, wants, plan)) return plan;
    return fail(no_room(sources, rooms, wants, intent.wishes, *proof));
  }
  const auto& layout = std::get<Layout>(answer);
  if (plan_gpu_instances(sources, layout, plan)) return plan;
  TRY(add_slices(host, sources, intent, layout, plan));
  add_notes(sources, layout, plan);
  return plan;
}

}  // namespace tessera::plan::slices
