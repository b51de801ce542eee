// SPDX-License-Identifier: Apache-2.0
#include "plan/assign.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "model/drivers.h"
#include "plan/isolation.h"
#include "plan/operations.h"

namespace tessera::plan {

namespace {

using model::AssignIntent;
using model::Card;
using model::HostSnapshot;
using model::PciFunction;
using model::Plan;

std::string holder_words(const model::Holder& holder) {
  std::string unit = holder.unit.empty() ? "" : fmt::format(", unit {}", holder.unit);
  return fmt::format("{} (pid {}{}) has {} open", holder.name, holder.pid, unit,
                     fmt::join(holder.paths, " and "));
}

std::vector<model::Holder> holders_of(const HostSnapshot& host, const Card& card) {
  std::vector<model::Holder> found;
  for (const auto& holder : host.holders) {
    if (card.has(holder.function)) found.push_back(holder);
  }
  return found;
}

/// A group has one owner as a whole; what shares it with the card would go along unasked.
Status check_isolation(const HostSnapshot& host, const Card& card) {
  const auto subject = to_string(card.address);
  if (!has_groups(host, card)) {
    return fail(ErrorKind::unsupported, subject,
                "the kernel has not put all of it in IOMMU groups, so nothing would keep a machine "
                "that owns it away from the host's memory",
                fmt::format("tessera doctor {}", subject));
  }
  for (const auto& trouble : foreign_members(host, card)) {
    std::vector<std::string> names;
    for (const auto& address : trouble.foreign) {
      names.push_back(describe_function(host, address));
    }
    return fail(ErrorKind::conflict, subject,
                fmt::format("its IOMMU group {} also holds {}; a group has one owner as a whole, "
                            "so that would go to the machine too. They are together because {}",
                            trouble.group, text::join(names, ", "), trouble.reason),
                fmt::format("put the card in another slot; tessera doctor {} tells why the group "
                            "is shared. No option skips this",
                            subject));
  }
  return {};
}

Status check_slices(const HostSnapshot& host, const Card& card) {
  for (const auto* function : functions_of(host, card)) {
    if (function->vf_enabled.value_or(0) > 0) {
      return fail(
          ErrorKind::busy, to_string(function->address),
          fmt::format("it is cut into {} SR-IOV virtual functions", function->vf_enabled.value()),
          "remove the virtual functions first");
    }
    if (!function->mdevs.empty()) {
      return fail(ErrorKind::busy, to_string(function->address),
                  fmt::format("it carries {} mediated device(s), {} first", function->mdevs.size(),
                              function->mdevs.front()),
                  "remove the mediated devices first (mdevctl stop)");
    }
  }
  return {};
}

/// Refuses a held card, or adds the operations that stop its holders.
Status deal_with_holders(const HostSnapshot& host, const Card& card, const AssignIntent& intent,
                         Plan& plan) {
  std::set<std::string> stopped;
  for (const auto& holder : holders_of(host, card)) {
    if (intent.holders == model::HolderPolicy::refuse) {
      return fail(ErrorKind::busy, to_string(card.address), fmt::format("{}", holder_words(holder)),
                  "stop it, or let tessera do it with --stop-holders");
    }
    auto operation = holder_stop(holder);
    if (stopped.insert(operation.subject).second) plan.operations.push_back(std::move(operation));
  }
  if (host.unreadable_processes > 0) {
    plan.notes.push_back(fmt::format(
        "the open files of {} processes could not be read; run as root to see every holder",
        host.unreadable_processes));
  }
  return {};
}

Status deal_with_boot_display(const HostSnapshot& host, const Card& card,
                              const AssignIntent& intent, Plan& plan) {
  bool boot_vga = false;
  for (const auto* function : functions_of(host, card)) {
    boot_vga = boot_vga || function->boot_vga.value_or(false);
  }
  std::vector<model::BootFramebuffer> attached;
  for (const auto& framebuffer : host.framebuffers) {
    bool ours = framebuffer.function && card.has(*framebuffer.function);
    if (ours && !framebuffer.driver.empty()) attached.push_back(framebuffer);
  }
  if ((boot_vga || !attached.empty()) && !intent.force) {
    return fail(ErrorKind::conflict, to_string(card.address),
                "it is the display this machine booted on: its console goes dark when the card is "
                "given away",
                "make sure you can log in another way (ssh), then repeat with --force");
  }
  for (const auto& framebuffer : attached) {
    plan.operations.push_back(framebuffer_detach(framebuffer));
  }
  return {};
}

Result<std::string> wanted_module(const HostSnapshot& host, const PciFunction& function,
                                  const AssignIntent& intent) {
  if (intent.vfio_driver.empty()) return vfio_module_for(host, function);
  std::string module = intent.vfio_driver;
  std::ranges::replace(module, '-', '_');
  return module;
}

Status add_vfio_operations(const HostSnapshot& host, const Card& card, const AssignIntent& intent,
                           Plan& plan) {
  std::set<std::string> modules;
  std::vector<model::Operation> binds;
  for (const auto* function : functions_of(host, card)) {
    TRY_LET(const std::string module, wanted_module(host, *function, intent));
    const std::string driver =
        intent.vfio_driver.empty() ? model::vfio_driver_of_module(module) : intent.vfio_driver;
    if (function->driver == driver && function->driver_override.value_or("") == driver) continue;
    binds.push_back(vfio_assign(*function, driver));
    modules.insert(module);
  }
  for (const auto& module : modules) {
    if (auto load = load_vfio_module(host, module)) plan.operations.push_back(std::move(*load));
  }
  std::ranges::move(binds, std::back_inserter(plan.operations));
  return {};
}

void note_bridges(const HostSnapshot& host, const Card& card, Plan& plan) {
  for (int number : card.groups) {
    const auto* group = host.group(number);
    if (group == nullptr) continue;
    for (const auto& member : group->members) {
      const auto* function = host.function(member);
      if (function == nullptr || !function->class_code.has_value()) continue;
      if (!model::is_bridge_class(function->class_code.value())) continue;
      plan.notes.push_back(fmt::format(
          "{} shares group {} and stays on {}: a bridge may, and must never be given away",
          to_string(member), number, function->driver.empty() ? "no driver" : function->driver));
    }
  }
}

Result<Plan> plan_to_vm(const HostSnapshot& host, const Card& card, const AssignIntent& intent) {
  Plan plan;
  plan.title = fmt::format("assign {} to vm", to_string(card.address));
  plan.subject = card.identity;
  TRY(check_isolation(host, card));
  TRY(check_slices(host, card));
  Plan moves;
  TRY(add_vfio_operations(host, card, intent, moves));
  if (moves.operations.empty()) {
    plan.notes.push_back(fmt::format("{} is on its VFIO driver already", to_string(card.address)));
    return plan;
  }
  TRY(deal_with_holders(host, card, intent, plan));
  TRY(deal_with_boot_display(host, card, intent, plan));
  std::ranges::move(moves.operations, std::back_inserter(plan.operations));
  note_bridges(host, card, plan);
  return plan;
}

/// On VFIO, with an override left behind, or with no driver at all: not the host's own state.
bool needs_release(const PciFunction& function) {
  if (model::is_vfio_driver(function.driver)) return true;
  if (!function.driver_override.value_or("").empty()) return true;
  return function.driver.empty() && !function.usual_driver.empty();
}

Result<Plan> plan_to_host(const HostSnapshot& host, const Card& card, const AssignIntent& intent) {
  Plan plan;
  plan.title = fmt::format("assign {} to host", to_string(card.address));
  plan.subject = card.identity;
  std::vector<const PciFunction*> away;
  for (const auto* function : functions_of(host, card)) {
    if (needs_release(*function)) away.push_back(function);
  }
  if (away.empty()) {
    plan.notes.push_back(fmt::format("{} is on its host driver already", to_string(card.address)));
    return plan;
  }
  TRY(deal_with_holders(host, card, intent, plan));
  for (const auto* function : away) {
    auto before = intent.drivers_before.find(function->address);
    plan.operations.push_back(vfio_release(
        *function, before == intent.drivers_before.end() ? std::string{} : before->second));
  }
  return plan;
}

}  // namespace

Result<Plan> plan_assign(const HostSnapshot& host, const AssignIntent& intent) {
  const Card* card = host.card_of(intent.card);
  if (card == nullptr) {
    return fail(ErrorKind::not_found, to_string(intent.card), "no card of this host has it",
                "tessera list");
  }
  return intent.to == model::Owner::vm ? plan_to_vm(host, *card, intent)
                                       : plan_to_host(host, *card, intent);
}

}  // namespace tessera::plan
