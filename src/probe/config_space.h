// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

/// What the bytes of a configuration space say: 256, or 4096 with PCI Express (PCI Local Bus 3.0,
/// PCIe base specification 5.0 chapter 7). Chains that loop or lead out of it end there.
/// Unreadable when only the first 64 bytes are given, which is all that a user who is not root
/// gets.
model::Reading<model::Capabilities> parse_config_space(std::string_view bytes);

/// The lines of a `resource` file, "0xFIRST 0xLAST 0xFLAGS" (Documentation/PCI/sysfs-pci.rst).
std::vector<model::Bar> parse_resource(std::string_view text);

/// Reads the configuration spaces that a decision needs: of each card's functions, of the bridges
/// above them, and of the other members of their groups. A device in D3cold is left asleep: reading
/// would wake it.
void read_capabilities(const kernel::Root& root, model::HostSnapshot& host);

}  // namespace tessera::probe
