// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

/// Fills in PciFunction::bus_errors of the cards' functions, of the virtual functions made from
/// them, and of the ports that these stand at.
void read_bus_errors(const kernel::Root& root, model::HostSnapshot& host);

/// The lines of a counter file ("CmpltTO 1") that count something, in their order; its last line,
/// a total, is none of them. Lines of another form are left out.
std::vector<model::BusErrors> parse_bus_errors(std::string_view text, model::BusErrors::Kind kind);

}  // namespace tessera::probe
