// SPDX-License-Identifier: Apache-2.0
#include "model/slice_health.h"

#include <algorithm>

namespace tessera::model {

std::string_view to_string(VirtualizationMode mode) {
  switch (mode) {
    case VirtualizationMode::none:
      return "none";
    case VirtualizationMode::pass_through:
      return "pass-through";
    case VirtualizationMode::vgpu:
      return "vgpu";
    case VirtualizationMode::host_vgpu:
      return "host-vgpu";
    case VirtualizationMode::host_vsga:
      return "host-vsga";
  }
  return "none";
}

std::string_view to_string(HostVgpuMode mode) {
  return mode == HostVgpuMode::sriov ? "sriov" : "non-sriov";
}

std::string_view to_string(SchedulerPolicy policy) {
  switch (policy) {
    case SchedulerPolicy::best_effort:
      return "best-effort";
    case SchedulerPolicy::equal_share:
      return "equal-share";
    case SchedulerPolicy::fixed_share:
      return "fixed-share";
  }
  return "best-effort";
}

const GpuHealth* HealthReport::gpu(const PciAddress& address) const {
  const auto found = std::ranges::find(gpus, address, &GpuHealth::address);
  return found == gpus.end() ? nullptr : &*found;
}

}  // namespace tessera::model
