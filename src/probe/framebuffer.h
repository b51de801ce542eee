// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

/// The framebuffers that the firmware left: platform devices (simple-framebuffer.0, efi-, vesa-)
/// joined with what /proc/iomem says about where they lie. Without root /proc/iomem holds only
/// zeros; then a framebuffer's addresses and function stay unknown.
std::vector<model::BootFramebuffer> read_framebuffers(const kernel::Root& root);

/// The boot framebuffers of /proc/iomem:
///
///     2800000000-2fffffffff : 0000:c3:00.0          a function's BAR
///       2800000000-2801fa3fff : BOOTFB              the firmware's framebuffer in it
///         2800000000-2801fa3fff : simpledrm         the driver that holds it
///
/// One entry for each outermost such line, named by it; an unprivileged read gives none.
std::vector<model::BootFramebuffer> parse_iomem(std::string_view text);

}  // namespace tessera::probe
