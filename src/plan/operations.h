// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "model/host.h"
#include "model/plan.h"

namespace tessera::plan {

// The kinds of change, one builder each: forward steps, their own undo, what must hold. The planner
// puts them together; docs/operations/ has a page for each kind.

/// "vfio.assign": one function from the driver it has to `vfio_driver`.
model::Operation vfio_assign(const model::PciFunction& function, const std::string& vfio_driver);

/// "vfio.release": one function from its VFIO driver to `host_driver`; empty: whatever matches.
model::Operation vfio_release(const model::PciFunction& function, const std::string& host_driver);

/// "framebuffer.detach": the boot framebuffer's platform device from its driver.
model::Operation framebuffer_detach(const model::BootFramebuffer& framebuffer);

/// "module.load": a kernel module that is not there yet.
model::Operation module_load(const std::string& module, const std::string& reason);

/// "holder.stop": a systemd unit (started again by the undo), or a process (which nothing restarts:
/// the reason says so).
model::Operation holder_stop(const model::Holder& holder);

}  // namespace tessera::plan
