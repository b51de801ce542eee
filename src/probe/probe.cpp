// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.h"

#include <algorithm>

#include "kernel/files.h"
#include "kernel/processes.h"
#include "probe/bus_errors.h"
#include "probe/cards.h"
#include "probe/config_space.h"
#include "probe/drivers.h"
#include "probe/framebuffer.h"
#include "probe/holders.h"
#include "probe/iommu.h"
#include "probe/machines.h"
#include "probe/memory.h"
#include "probe/pci.h"
#include "probe/settings.h"
#include "probe/slices/frameworks.h"
#include "probe/system.h"

namespace tessera::probe {

namespace files = kernel::files;

namespace {

/// A recording may hold anything; a directory that shows no part of a host was a mistake.
Status check_that_it_is_a_host(const kernel::Root& root) {
  if (root.kind() == kernel::Root::Kind::recording) return {};
  for (auto path : {files::pci_devices, files::modules, files::memory_nodes, files::proc_cpuinfo}) {
    if (root.exists(path)) return {};
  }
  return fail(ErrorKind::not_found, root.location(),
              "this directory holds no host: neither PCI devices nor processors are seen in it",
              "give --root a directory with a host's /sys and /proc in it, or a recording file");
}

/// A recording often has the groups' side only, and no links of the functions.
bool group_is_missing(const model::HostSnapshot& host) {
  return std::ranges::any_of(host.cards, [&](const model::Card& card) {
    return std::ranges::any_of(functions_of(host, card), [](const model::PciFunction* function) {
      return function->iommu_group.is_absent();
    });
  });
}

Status look_at_cards(const kernel::Root& root, model::HostSnapshot& host) {
  TRY_LET(host.functions, read_card_functions(root));
  host.cards = find_cards(host.functions);
  if (root.is_complete() || !group_is_missing(host)) return {};
  host.groups = read_groups(root, host.functions);
  host.cards = find_cards(host.functions);
  return {};
}

/// Those that are slices and that no driver has: what a plan that gives them to VFIO has to know.
void look_at_free_functions(const kernel::Root& root, model::HostSnapshot& host) {
  bool any = false;
  for (const auto& source : host.slice_sources) {
    if (!model::is_whole_function(source.framework)) continue;
    for (const auto& slice : source.slices) {
      const auto address = model::parse_pci_address(slice.identity);
      if (!address || !slice.driver.empty()) continue;
      const auto seen = std::ranges::find(host.functions, *address, &model::PciFunction::address);
      if (seen == host.functions.end()) continue;
      *seen = read_function_at(root, *address);
      any = true;
    }
  }
  if (!any) return;
  const AliasTable table = read_alias_table(root, read_release(root), host.functions);
  add_driver_choices(table, host.functions);
  host.kernel = read_kernel_facts(root, table);
  host.groups = read_groups(root, host.functions);
}

Status look_at_everything(const kernel::Root& root, model::HostSnapshot& host) {
  TRY_LET(host.functions, read_functions(root));
  const AliasTable table = read_alias_table(root, read_release(root), host.functions);
  add_driver_choices(table, host.functions);
  host.settings = read_settings(root);
  host.boot = read_boot_facts(root);
  host.kernel = read_kernel_facts(root, table);
  read_more_kernel_facts(root, host.settings, host.kernel);
  host.groups = read_groups(root, host.functions);
  host.cards = find_cards(host.functions);
  read_capabilities(root, host);
  host.framebuffers = read_framebuffers(root);
  const kernel::OpenDeviceScan scan = kernel::scan_open_devices(root);
  host.holders = find_holders(host, scan);
  host.machines = find_machines(root, scan);
  host.unreadable_processes = scan.unreadable;
  host.kernel_log = lines_that_matter(root.kernel_log());
  host.nodes = read_memory_nodes(root);
  host.huge_pages = read_huge_pages(root);
  host.processors = read_processors(root);
  host.failed_memory_kib = read_failed_memory(root);
  if (host.failed_memory_kib.value_or(0) > 0) {
    host.machine_memory_errors = find_memory_errors(root);
  }
  return {};
}

}  // namespace

Result<model::HostSnapshot> take_snapshot(const kernel::Root& root, model::Detail detail) {
  TRY(check_that_it_is_a_host(root));
  model::HostSnapshot host;
  host.source = root.location();
  host.live = root.kind() == kernel::Root::Kind::live;
  host.complete = root.is_complete();
  host.detail = detail;
  const bool all = detail == model::Detail::everything;
  TRY(all ? look_at_everything(root, host) : look_at_cards(root, host));
  if (detail == model::Detail::cards) return host;
  read_bus_errors(root, host);
  host.slice_sources = slices::read_sources(root, host);
  if (!all) look_at_free_functions(root, host);
  return host;
}

}  // namespace tessera::probe
