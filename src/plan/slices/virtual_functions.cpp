// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/virtual_functions.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kernel/files.h"
#include "model/drivers.h"
#include "plan/isolation.h"
#include "plan/operations.h"
#include "plan/slices/owners.h"
#include "plan/slices/quotas.h"

namespace tessera::plan::slices {

namespace files = kernel::files;
using model::HostSnapshot;
using model::Operation;
using model::Plan;
using model::SliceSource;
using model::Step;
using What = model::Expectation::What;

namespace {

Step write(const std::string& path, const std::string& text, std::string reason) {
  Step step;
  step.path = path;
  step.text = text;
  step.reason = std::move(reason);
  step.then = {{What::text, path, text}};
  return step;
}

std::string count_file(const SliceSource& source) {
  return files::pci_device(source.device, "sriov_numvfs");
}

std::string autoprobe_file(const SliceSource& source) {
  return files::pci_device(source.device, "sriov_drivers_autoprobe");
}

/// NVIDIA's driver refuses the kernel's own file; its tool takes the vendor's lock, turns all of
/// them on or off, and gives the card back to the driver.
bool is_nvidia(const SliceSource& source) {
  return source.driver == "nvidia";
}

Step run_nvidia_tool(const SliceSource& source, std::string_view option, int from, int to) {
  Step step;
  step.action = Step::Action::run_tool;
  step.path = files::sriov_manage;
  step.text = fmt::format("{} {}", option, source.device);
  step.reason = "NVIDIA's driver lets only its own tool change them";
  step.only_if = {{What::text, count_file(source), std::to_string(from)}};
  step.then = {{What::text, count_file(source), std::to_string(to)}};
  step.deadline_ms = 120'000;  // the driver leaves the card and takes it again
  return step;
}

/// For a tool that was killed half-way.
Step back_to_nvidia(const SliceSource& source) {
  Step step;
  step.path = files::pci_driver("nvidia", "bind");
  step.text = source.device;
  step.reason = "the tool may have been ended between unbinding the card and binding it again";
  step.only_if = {{What::link_name, files::pci_device(source.device, "driver"), ""}};
  return step;
}

Step turn_on(const SliceSource& source, int count) {
  if (is_nvidia(source)) return run_nvidia_tool(source, "-e", 0, count);
  Step step = write(count_file(source), std::to_string(count),
                    fmt::format("{} makes its virtual functions", source.driver));
  step.only_if = {{What::text, step.path, "0"}};
  step.deadline_ms = 60'000;  // a driver may take its time over many of them
  return step;
}

Step turn_off(const SliceSource& source, int count) {
  if (is_nvidia(source)) return run_nvidia_tool(source, "-d", count, 0);
  Step step = write(count_file(source), "0", "they go as soon as nobody has one open");
  step.deadline_ms = 60'000;
  return step;
}

bool functions_are_off(const SliceSource& source) {
  return source.parents.empty() && source.vf_enabled.value_or(0) == 0 &&
         source.vf_total.value_or(0) > 0;
}

/// A virtual function that VFIO had, on the driver that it had; new ones have none.
void add_binding(const model::Slice& slice, std::vector<Step>& steps) {
  const auto address = model::parse_pci_address(slice.identity);
  if (!address || !model::is_vfio_driver(slice.driver)) return;
  model::PciFunction fresh;
  fresh.address = *address;
  std::ranges::move(vfio_assign(fresh, slice.driver).forward, std::back_inserter(steps));
}

int count_of(const SliceIntent& intent) {
  int count = 0;
  for (const auto& wish : intent.wishes) count += wish.count;
  return count;
}

/// Why a virtual function cannot be given away by itself; empty: it can.
std::string why_not_alone(const HostSnapshot& host, const model::PciFunction& function) {
  if (!function.iommu_group.has_value()) return "it is in no IOMMU group";
  model::Card alone;
  alone.address = function.address;
  alone.functions = {function.address};
  alone.groups = {function.iommu_group.value()};
  for (const auto& trouble : foreign_members(host, alone)) {
    return fmt::format("its IOMMU group {} also holds {}", trouble.group,
                       describe_function(host, trouble.foreign.front()));
  }
  return {};
}

/// The operation for one of them, with the module that it needs; or why there is none.
Result<Operation> to_vfio(const HostSnapshot& host, const SliceSource& source,
                          const model::PciFunction& function, std::set<std::string>& modules) {
  const auto why_not = why_not_alone(host, function);
  if (!why_not.empty()) {
    return fail(ErrorKind::unsupported, to_string(function.address), why_not);
  }
  TRY_LET(const auto module, vfio_module_for(host, function));
  modules.insert(module);
  auto operation = vfio_assign(function, model::vfio_driver_of_module(module));
  operation.uses = {source.device};
  return operation;
}

/// They were turned on, and no driver has any of them: half of the way is gone.
bool wait_for_vfio(const SliceSource& source) {
  return !source.slices.empty() &&
         std::ranges::all_of(source.slices, [](const auto& one) { return one.driver.empty(); });
}

Result<bool> plan_functions_as_slices(const HostSnapshot& host, const SliceSource& source,
                                      const SliceIntent& intent, Plan& plan) {
  const int count = count_of(intent);
  const int total = source.vf_total.value_or(0);
  const bool as_asked = intent.again || intent.quotas == model::SliceQuotas{};
  if (wait_for_vfio(source) && static_cast<int>(source.slices.size()) == count && as_asked) {
    plan.title = fmt::format("give the virtual functions of {} to machines", source.device);
    give_to_vfio(host, source, plan);
    for (const auto& slice : source.slices) set_owner(host, slice.identity, intent.owner, plan);
    return true;
  }
  if (!source.slices.empty()) {
    return fail(ErrorKind::conflict, source.device,
                fmt::format("{} virtual functions are on, and their number changes only from none",
                            source.slices.size()),
                fmt::format("tessera unslice --card {}, then again with the number you want",
                            source.device));
  }
  if (count > total) {
    return fail(ErrorKind::conflict, source.device,
                fmt::format("it has {} virtual functions at most (sriov_totalvfs)", total),
                fmt::format("tessera slice {} {}xvf", source.device, total));
  }
  TRY_LET(plan.operations, equal_quotas(source, count, intent.quotas));
  plan.operations.push_back(enable_functions(source, count));
  plan.notes.push_back(fmt::format(
      "{} gets {} of {} virtual functions; they go to a VFIO driver when they are there",
      source.device, count, total));
  plan.more = true;
  return true;
}

}  // namespace

Operation enable_functions(const SliceSource& source, int count) {
  Operation op;
  op.kind = "vfs.enable";
  op.subject = source.device;
  op.reason = fmt::format("{} virtual functions on {}", count, source.device);
  op.before = {{What::text, count_file(source), "0"}};
  const bool autoprobe = source.vf_autoprobe.value_or(false) && !is_nvidia(source);
  if (autoprobe) {
    op.forward.push_back(write(autoprobe_file(source), "0",
                               "or the host's driver would take the new virtual functions"));
  }
  op.forward.push_back(turn_on(source, count));
  op.after = {{What::text, count_file(source), std::to_string(count)}};
  op.undo = {turn_off(source, count)};
  if (is_nvidia(source)) {
    op.undo.push_back(back_to_nvidia(source));
    op.after_undo.push_back(
        {What::link_name, files::pci_device(source.device, "driver"), "nvidia"});
  }
  if (autoprobe) {
    op.undo.push_back(write(autoprobe_file(source), "1", "as it was"));
    op.after_undo.push_back({What::text, autoprobe_file(source), "1"});
  }
  op.after_undo.push_back({What::text, count_file(source), "0"});
  return op;
}

void give_to_vfio(const HostSnapshot& host, const SliceSource& source, Plan& plan) {
  std::set<std::string> modules;
  std::vector<Operation> binds;
  for (const auto& slice : source.slices) {
    const auto address = model::parse_pci_address(slice.identity);
    const auto* const function =
        address && slice.driver.empty() ? host.function(*address) : nullptr;
    if (function == nullptr) continue;
    auto bind = to_vfio(host, source, *function, modules);
    if (bind) {
      binds.push_back(std::move(*bind));
    } else {
      plan.notes.push_back(fmt::format("{} stays without a driver, and no machine can have it: {}",
                                       slice.identity, bind.error().sentence));
    }
  }
  for (const auto& module : modules) {
    if (auto load = load_vfio_module(host, module)) plan.operations.push_back(std::move(*load));
  }
  std::ranges::move(binds, std::back_inserter(plan.operations));
}

Operation disable_functions(const SliceSource& source) {
  const int count = source.vf_enabled.value_or(static_cast<int>(source.parents.size()));
  Operation op;
  op.kind = "vfs.disable";
  op.subject = source.device;
  op.reason = fmt::format("no virtual functions on {} any more", source.device);
  op.before = {{What::text, count_file(source), std::to_string(count)}};
  op.forward = {turn_off(source, count)};
  op.after = {{What::text, count_file(source), "0"}};
  op.undo = {turn_on(source, count)};
  for (const auto& slice : source.slices) add_binding(slice, op.undo);
  op.after_undo = {{What::text, count_file(source), std::to_string(count)}};
  return op;
}

Result<bool> plan_virtual_functions(const HostSnapshot& host,
                                    const std::vector<const SliceSource*>& sources,
                                    const SliceIntent& intent, Plan& plan) {
  const bool chosen = sources.size() == 1;
  if (!chosen) return false;  // among several cards, those that are ready are cut
  const SliceSource& source = *sources.front();
  if (model::is_whole_function(source.framework) && !is_nvidia(source)) {
    return plan_functions_as_slices(host, source, intent, plan);
  }
  if (!functions_are_off(source)) return false;
  plan.title = fmt::format("turn on the virtual functions of {}", source.device);
  plan.operations.push_back(enable_functions(source, source.vf_total.value()));
  plan.notes.emplace_back("what can be cut is known when the virtual functions are there");
  plan.more = true;
  return true;
}

}  // namespace tessera::plan::slices
