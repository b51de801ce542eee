// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

#include "text.h"

namespace guest {

/// What a multiboot loader hands over (Multiboot 0.6.96, section 3.3); only what we read.
struct BootInfo {
  uint32_t flags;
  uint32_t memory_lower_kib;
  uint32_t memory_upper_kib;  ///< above 1 MiB, to the first hole
  uint32_t boot_device;
  uint32_t command_line;  ///< address of the text: the file's name, a blank, what -append said
};

/// "KVM", "TCG" (plain emulation), the raw signature of another hypervisor, or "no hypervisor".
Line hypervisor_name();

/// What the user appended to the command line; empty when nothing.
const char* appended_text(const BootInfo& info);

}  // namespace guest
