// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/slices/cut.h"
#include "plan/slices/frameworks.h"
#include "plan/slices/virtual_functions.h"

namespace tessera::plan::slices {

using model::HostSnapshot;
using model::Plan;
using model::Slice;
using model::SliceSource;

namespace {

struct Found {
  const SliceSource* source = nullptr;
  const Slice* slice = nullptr;
};

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

Result<Found> find_slice(const HostSnapshot& host, const std::string& selector) {
  const auto identity = as_identity(selector);
  for (const auto& source : host.slice_sources) {
    const auto slice = std::ranges::find(source.slices, identity, &Slice::identity);
    if (slice != source.slices.end()) return Found{&source, &*slice};
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

Status add_removal(const Found& found, Plan& plan) {
  TRY(check_not_used(*found.slice));
  const auto* const operations = operations_of(found.source->framework);
  if (!operations) {
    return fail(ErrorKind::unsupported, found.slice->identity,
                "virtual functions of a card go all together",
                "tessera unslice --card " + found.source->device);
  }
  plan.operations.push_back(operations->remove(*found.source, *found.slice));
  return {};
}

Status add_all_of(const SliceSource& source, Plan& plan) {
  for (const auto& slice : source.slices) TRY(check_not_used(slice));
  if (operations_of(source.framework) == nullptr) {
    if (!source.slices.empty()) plan.operations.push_back(disable_functions(source));
    return {};
  }
  for (const auto& slice : source.slices) TRY(add_removal({&source, &slice}, plan));
  return {};
}

}  // namespace

Result<Plan> plan_unslice(const HostSnapshot& host, const UnsliceIntent& intent) {
  Plan plan;
  std::vector<std::string> names = intent.slices;
  for (const auto& device : intent.devices) {
    TRY_LET(const SliceSource* const source, select_source(host, device));
    names.push_back("all of " + source->device);
    TRY(add_all_of(*source, plan));
    plan.subject = source->device;
  }
  for (const auto& selector : intent.slices) {
    TRY_LET(const Found found, find_slice(host, selector));
    TRY(add_removal(found, plan));
    plan.subject = found.source->device;
  }
  plan.title = "take away " + text::join(names, ", ");
  const auto address = model::parse_pci_address(plan.subject);
  const model::Card* const card = address ? host.card_of(*address) : nullptr;
  if (card) plan.subject = card->identity;
  if (plan.operations.empty()) plan.notes.push_back("there are no slices to take away");
  return plan;
}

}  // namespace tessera::plan::slices
