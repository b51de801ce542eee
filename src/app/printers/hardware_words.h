// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/host.h"

/// Words for what the hardware of a function is, for `tessera show`.
namespace tessera::app {

/// "16 GT/s x16", and "of 16 GT/s x16" after it where the function can do more; empty when unknown.
std::string link_words(const model::PciLink& link);

/// "BAR 0: 16 GiB at 0xf800000000, 64 bits, prefetchable"; "ROM: ..." for the expansion ROM.
std::string bar_words(const model::Bar& bar);

/// "BAR 0: 16 GiB, of 256 MiB to 32 GiB".
std::string resizable_words(const model::ResizableBar& bar);

/// What a port above a card is and whether it keeps its neighbours apart: "root port, ACS on",
/// "upstream port, no ACS". "conventional PCI" and unreadable ones are said too.
std::string port_words(const model::PciFunction& port);

/// The ports above `function`, from the one above it up to the root.
std::vector<const model::PciFunction*> ports_above(const model::HostSnapshot& host,
                                                   const model::PciFunction& function);

}  // namespace tessera::app
