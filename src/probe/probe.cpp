// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.h"

#include "kernel/files.h"
#include "kernel/processes.h"
#include "probe/cards.h"
#include "probe/drivers.h"
#include "probe/framebuffer.h"
#include "probe/holders.h"
#include "probe/iommu.h"
#include "probe/pci.h"
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

}  // namespace

Result<model::HostSnapshot> take_snapshot(const kernel::Root& root) {
  TRY(check_that_it_is_a_host(root));
  model::HostSnapshot host;
  host.source = root.location();
  host.live = root.kind() == kernel::Root::Kind::live;
  TRY_LET(host.functions, read_functions(root));
  AliasTable table = read_alias_table(root, read_release(root), host.functions);
  add_driver_choices(table, host.functions);
  host.kernel = read_kernel_facts(root, table);
  host.groups = read_groups(root, host.functions);
  host.cards = find_cards(host.functions);
  host.framebuffers = read_framebuffers(root);
  kernel::OpenDeviceScan scan = kernel::scan_open_devices(root);
  host.holders = find_holders(host, scan);
  host.unreadable_processes = scan.unreadable;
  host.kernel_log = lines_that_matter(root.kernel_log());
  return host;
}

}  // namespace tessera::probe
