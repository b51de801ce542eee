// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/slices/availability.h"
#include "plan/slices/cut.h"
#include "plan/slices/frameworks.h"
#include "plan/slices/owners.h"
#include "plan/slices/virtual_functions.h"

namespace tessera::plan::slices {

using model::HostSnapshot;
using model::Plan;
using model::SliceSource;

namespace {

Status add_removal(const HostSnapshot& host, const FoundSlice& found, const std::string& owner,
                   Plan& plan) {
  TRY(check_not_used(*found.slice));
  TRY(check_owner(host, found.slice->identity, owner));
  const auto* const operations = operations_of(found.source->framework);
  if (!operations) {
    return fail(ErrorKind::unsupported, found.slice->identity,
                "virtual functions of a card go all together",
                "tessera unslice --card " + found.source->device);
  }
  plan.operations.push_back(operations->remove(*found.source, *found.slice));
  set_owner(host, found.slice->identity, {}, plan);
  return {};
}

Status add_all_of(const HostSnapshot& host, const SliceSource& source, const std::string& owner,
                  Plan& plan) {
  for (const auto& slice : source.slices) {
    TRY(check_not_used(slice));
    TRY(check_owner(host, slice.identity, owner));
  }
  if (operations_of(source.framework) == nullptr) {
    if (!source.slices.empty()) plan.operations.push_back(disable_functions(source));
    for (const auto& slice : source.slices) set_owner(host, slice.identity, {}, plan);
    return {};
  }
  for (const auto& slice : source.slices) TRY(add_removal(host, {&source, &slice}, owner, plan));
  return {};
}

}  // namespace

Result<Plan> plan_unslice(const HostSnapshot& host, const UnsliceIntent& intent) {
  Plan plan;
  std::vector<std::string> names = intent.slices;
  for (const auto& device : intent.devices) {
    TRY_LET(const SliceSource* const source, select_source(host, device));
    names.push_back("all of " + source->device);
    TRY(add_all_of(host, *source, intent.owner, plan));
    plan.subject = source->device;
    if (!source->gpu_instances.empty()) {
      plan.notes.push_back(fmt::format(
          "the GPU instances of {} stay ({}): further slices of their kinds use them, and "
          "`tessera undo` of the plan that made them takes them away",
          source->device, instances_on(*source)));
    }
  }
  for (const auto& selector : intent.slices) {
    TRY_LET(const FoundSlice found, find_slice(host, selector));
    TRY(add_removal(host, found, intent.owner, plan));
    plan.subject = found.source->device;
  }
  plan.title = "take away " + text::join(names, ", ");
  const auto address = model::parse_pci_address(plan.subject);
  const model::Card* const card = address ? host.card_of(*address) : nullptr;
  if (card) plan.subject = card->identity;
  if (plan.operations.empty()) plan.notes.emplace_back("there are no slices to take away");
  return plan;
}

}  // namespace tessera::plan::slices
