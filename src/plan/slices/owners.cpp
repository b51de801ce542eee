// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/owners.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "model/machine.h"

namespace tessera::plan::slices {

using model::HostSnapshot;
using model::Plan;
using model::Slice;
using model::Step;
using What = model::Expectation::What;

namespace {

std::string slice_names(const HostSnapshot& host) {
  std::vector<std::string> names;
  for (const auto& source : host.slice_sources) {
    for (const auto& slice : source.slices) names.push_back(slice.identity);
  }
  constexpr std::size_t enough = 8;
  const bool many = names.size() > enough;
  if (many) names.resize(enough);
  if (names.empty()) return "there are no slices on this host";
  return "there are: " + text::join(names, ", ") + (many ? ", ... (tessera list slices)" : "");
}

/// A UUID in either case, or a virtual function with or without its domain.
std::string as_identity(std::string_view selector) {
  const auto address = model::parse_pci_address(selector);
  if (address) return model::to_string(*address);
  std::string lower(selector);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return lower;
}

Step owner_step(Step::Action action, const std::string& slice, const std::string& owner) {
  Step step;
  step.action = action;
  step.path = slice;
  step.text = owner;
  return step;
}

/// From one owner to another, either of which may be nobody.
std::vector<Step> steps_between(const std::string& slice, const std::string& from,
                                const std::string& to) {
  std::vector<Step> steps;
  if (!from.empty()) {
    steps.push_back(owner_step(Step::Action::disown, slice, from));
    steps.back().only_if = {{What::owner, slice, from}};
  }
  if (!to.empty()) steps.push_back(owner_step(Step::Action::claim, slice, to));
  return steps;
}

Status check_name(const std::string& owner) {
  if (model::is_machine_name(owner)) return {};
  return fail(ErrorKind::invalid, text::printable(owner),
              "a machine's name is 1 to 64 letters, digits, '-', '_' or '.', and starts with a "
              "letter or digit");
}

bool grants(const FoundSlice& found, const Wish& wish) {
  const auto profiles = granting(*found.source, wish);
  return std::ranges::any_of(
      profiles, [&](const auto* profile) { return profile->type == found.slice->type; });
}

/// Those that are nobody's and that nobody has open, in the host's order.
std::vector<FoundSlice> free_slices(const HostSnapshot& host) {
  std::vector<FoundSlice> found;
  for (const auto& source : host.slice_sources) {
    for (const auto& slice : source.slices) {
      const bool free = host.owner_of(slice.identity).empty() && slice.users.empty();
      if (free) found.push_back({&source, &slice});
    }
  }
  return found;
}

std::string taken_by(const HostSnapshot& host, const Wish& wish) {
  std::vector<std::string> owners;
  for (const auto& source : host.slice_sources) {
    for (const auto& slice : source.slices) {
      if (!grants({&source, &slice}, wish)) continue;
      const auto owner = host.owner_of(slice.identity);
      const auto user = slice.users.empty() ? std::string("nobody") : slice.users.front().name;
      owners.push_back(fmt::format("{} is {}", slice.identity,
                                   owner.empty() ? "open in " + user : owner + "'s"));
    }
  }
  constexpr std::size_t enough = 4;
  if (owners.empty()) return "there is no slice like that";
  const bool many = owners.size() > enough;
  if (many) owners.resize(enough);
  return text::join(owners, ", ") + (many ? ", ..." : "");
}

/// Takes what a wish wants out of `free`.
Status claim_wished(const HostSnapshot& host, const Wish& wish, const std::string& owner,
                    std::vector<FoundSlice>& free, Plan& plan) {
  for (int i = 0; i < wish.count; ++i) {
    const auto found = std::ranges::find_if(
        free, [&](const FoundSlice& candidate) { return grants(candidate, wish); });
    if (found == free.end()) {
      return fail(
          ErrorKind::conflict, to_string(wish),
          fmt::format("of {} slices like that {} free: {}", wish.count,
                      i == 0 ? "none is" : fmt::format("only {} are", i), taken_by(host, wish)),
          "tessera profiles shows what can still be cut");
    }
    set_owner(host, found->slice->identity, owner, plan);
    free.erase(found);
  }
  return {};
}

std::vector<std::string> slices_of(const HostSnapshot& host, const std::string& owner) {
  std::vector<std::string> names;
  for (const auto& source : host.slice_sources) {
    for (const auto& slice : source.slices) {
      if (host.owner_of(slice.identity) == owner) names.push_back(slice.identity);
    }
  }
  return names;
}

}  // namespace

Result<FoundSlice> find_slice(const HostSnapshot& host, const std::string& selector) {
  const auto identity = as_identity(selector);
  for (const auto& source : host.slice_sources) {
    const auto slice = std::ranges::find(source.slices, identity, &Slice::identity);
    if (slice != source.slices.end()) return FoundSlice{&source, &*slice};
  }
  return fail(ErrorKind::not_found, text::printable(selector), "there is no slice of this name",
              slice_names(host));
}

/// The kernel would wait for them, perhaps for ever.
Status check_not_used(const Slice& slice) {
  if (slice.users.empty()) return {};
  const auto& user = slice.users.front();
  return fail(ErrorKind::busy, slice.identity,
              fmt::format("{} (pid {}{}{}) has it open: {}", user.name, user.pid,
                          user.unit.empty() ? "" : ", ", user.unit, user.path),
              "shut its machine down first");
}

Status check_owner(const HostSnapshot& host, const std::string& slice, const std::string& owner) {
  const auto present = host.owner_of(slice);
  if (present.empty() || present == owner) return {};
  return fail(ErrorKind::conflict, slice, fmt::format("it belongs to {}", present),
              fmt::format("if {0} does not want it any more: tessera disown {1} --owner {0}",
                          present, slice));
}

void set_owner(const HostSnapshot& host, const std::string& slice, const std::string& owner,
               Plan& plan) {
  const auto present = host.owner_of(slice);
  if (present == owner) return;
  model::Operation op;
  op.kind = "slice.own";
  op.subject = slice;
  op.reason = owner.empty() ? fmt::format("{} is nobody's", slice)
                            : fmt::format("{} is for {}", slice, owner);
  op.before = {{What::owner, slice, present}};
  op.forward = steps_between(slice, present, owner);
  op.after = {{What::owner, slice, owner}};
  op.undo = steps_between(slice, owner, present);
  op.after_undo = {{What::owner, slice, present}};
  plan.operations.push_back(std::move(op));
}

Result<Plan> plan_claim(const HostSnapshot& host, const ClaimIntent& intent) {
  TRY(check_name(intent.owner));
  Plan plan;
  plan.title = fmt::format(
      "claim {} for {}",
      intent.slices.empty() ? to_string(intent.wishes) : text::join(intent.slices, ", "),
      intent.owner);
  for (const auto& selector : intent.slices) {
    TRY_LET(const FoundSlice found, find_slice(host, selector));
    TRY(check_owner(host, found.slice->identity, intent.owner));
    set_owner(host, found.slice->identity, intent.owner, plan);
  }
  auto free = free_slices(host);
  for (const auto& wish : intent.wishes) TRY(claim_wished(host, wish, intent.owner, free, plan));
  if (plan.operations.empty()) plan.notes.push_back(intent.owner + " has them already");
  return plan;
}

Result<Plan> plan_disown(const HostSnapshot& host, const ClaimIntent& intent) {
  TRY(check_name(intent.owner));
  Plan plan;
  const auto names = intent.slices.empty() ? slices_of(host, intent.owner) : intent.slices;
  plan.title = fmt::format("take {} from {}", text::join(names, ", "), intent.owner);
  for (const auto& selector : names) {
    TRY_LET(const FoundSlice found, find_slice(host, selector));
    TRY(check_owner(host, found.slice->identity, intent.owner));
    TRY(check_not_used(*found.slice));
    set_owner(host, found.slice->identity, {}, plan);
  }
  if (plan.operations.empty()) plan.notes.push_back("nothing here is " + intent.owner + "'s");
  return plan;
}

}  // namespace tessera::plan::slices
