// SPDX-License-Identifier: Apache-2.0
// xe's sriov_admin (Documentation/ABI/testing/sysfs-driver-intel-xe-sriov; Linux 6.19, vram_quota
// from 7.0). There is a folder vfN for each of sriov_totalvfs, counted from 1, whether virtual
// functions are enabled or not.
#include "kernel/files.h"
#include "probe/slices/frameworks.h"
#include "probe/slices/support.h"
#include "probe/slices/vf_slices.h"

namespace tessera::probe::slices {

namespace files = kernel::files;

namespace {

constexpr std::string_view quota_files[] = {"vram_quota", "exec_quantum_ms", "preempt_timeout_us",
                                            "sched_priority"};

}  // namespace

void read_xe(const kernel::Root& root, const model::HostSnapshot& host,
             std::vector<model::SliceSource>& found) {
  for (const auto& card : host.cards) {
    const auto device = model::to_string(card.address);
    const auto admin = files::pci_device(device, "sriov_admin");
    const auto names = root.list(admin);
    if (is_taken(found, card.address) || !names) continue;
    auto& source = source_of(root, host, device, model::Framework::xe, found);
    add_vf_slices(root, source);
    // VFs have one priority, which only this file changes (sched_priority_change_allowed()).
    add_quota(root, admin + "/.bulk_profile/sched_priority", "all/sched_priority", source);
    for (const auto& name : *names) {
      if (name != "pf" && !name.starts_with("vf")) continue;
      for (auto file : quota_files) {
        add_quota(root, admin + "/" + name + "/profile/" + std::string(file),
                  name + "/" + std::string(file), source);
      }
    }
  }
}

}  // namespace tessera::probe::slices
