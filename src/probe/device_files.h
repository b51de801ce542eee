// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

/// The files in /dev that lead to a function, sorted: its DRM nodes (DEV/drm), sound nodes
/// (DEV/sound), framebuffers (DEV/graphics), NVIDIA's node (by the driver's "Device Minor") and
/// VFIO's (DEV/vfio-dev and the group's). `names` is the listing of the function's directory;
/// `function` must have its address, driver and group.
std::vector<std::string> device_files_of(const kernel::Root& root,
                                         const model::PciFunction& function,
                                         const std::vector<std::string>& names);

}  // namespace tessera::probe
