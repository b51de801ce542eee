// SPDX-License-Identifier: Apache-2.0
// i915's SR-IOV, as Intel's own kernels and the module for others have it: drm/cardN/iov or
// prelim_iov, with a folder "gt" (Flex) or "gt0" (Max, and the module) in each virtual function's.
#include <algorithm>

#include "kernel/files.h"
#include "probe/read.h"
#include "probe/slices/frameworks.h"
#include "probe/slices/support.h"
#include "probe/slices/vf_slices.h"

namespace tessera::probe::slices {

namespace files = kernel::files;

namespace {

constexpr std::string_view iov_folders[] = {"iov", "prelim_iov"};
constexpr std::string_view gt_folders[] = {"gt", "gt0"};
constexpr std::string_view quota_files[] = {"lmem_quota",      "ggtt_quota",
                                            "contexts_quota",  "doorbells_quota",
                                            "exec_quantum_ms", "preempt_timeout_us"};

/// "/sys/bus/pci/devices/BDF/drm/card0/iov"; empty where there is none.
std::string iov_folder(const kernel::Root& root, const std::string& device) {
  const auto drm = files::pci_device(device, "drm");
  const auto nodes = root.list(drm);
  if (!nodes) return {};
  for (const auto& node : *nodes) {
    for (auto folder : iov_folders) {
      auto path = drm + "/" + node + "/" + std::string(folder);
      if (root.exists(path)) return path;
    }
  }
  return {};
}

void add_quotas(const kernel::Root& root, const std::string& iov, const std::string& function,
                model::SliceSource& source) {
  for (auto gt : gt_folders) {
    const auto folder = iov + "/" + function + "/" + std::string(gt) + "/";
    for (auto file : quota_files) {
      add_quota(root, folder + std::string(file), function + "/" + std::string(file), source);
    }
  }
}

}  // namespace

void read_i915(const kernel::Root& root, const model::HostSnapshot& host,
               std::vector<model::SliceSource>& found) {
  for (const auto& card : host.cards) {
    if (is_taken(found, card.address)) continue;
    const auto device = model::to_string(card.address);
    const auto iov = iov_folder(root, device);
    if (iov.empty()) continue;
    auto& source = source_of(root, host, device, model::Framework::i915, found);
    add_vf_slices(root, source);
    add_quota(root, iov + "/pf/auto_provisioning", "pf/auto_provisioning", source);
    const auto functions = root.list(iov);
    if (!functions) continue;
    for (const auto& function : *functions) {
      if (function.starts_with("vf")) add_quotas(root, iov, function, source);
    }
  }
}

}  // namespace tessera::probe::slices
