// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "model/host.h"
#include "model/plan.h"

namespace tessera::plan {

// The kinds of change, one builder each: forward steps, their own undo, what must hold. The planner
// puts them together; docs/operations/ has a page for each kind.

/// "vfio.assign": one function from the driver it has to `vfio_driver`.
model::Operation vfio_assign(const model::PciFunction& function, const std::string& vfio_driver);

/// The kernel module of the best VFIO driver for a function: what modules.alias names, else
/// vfio_pci. Errors: unsupported where this kernel has neither.
Result<std::string> vfio_module_for(const model::HostSnapshot& host,
                                    const model::PciFunction& function);

/// "module.load" of a VFIO driver's module; nothing where it is there.
std::optional<model::Operation> load_vfio_module(const model::HostSnapshot& host,
                                                 const std::string& module);

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
