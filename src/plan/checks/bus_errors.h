// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"
#include "model/host.h"

/// What the errors mean that PCI Express counted (Advanced Error Reporting, PCI Express base
/// specification 6.2).
namespace tessera::plan {

inline constexpr std::string_view bus_errors_id = "bus-errors";

/// What speaks against a card, as findings with bus_errors_id:
///
///   error    a transaction or the link was lost: data, or the machine that waited for it
///   warning  somebody asked the card for what it does not do, or for what isolation forbids;
///            or its link repairs itself again and again (100 times and more)
///
/// Each names the machines that have the card or a slice of it, as far as their processes are
/// known.
std::vector<model::Finding> bus_errors_of(const model::HostSnapshot& host, const model::Card& card);

/// The command that shows what a reason against new slices was read from ("tessera doctor
/// 0000:01:00.0"): these, or what a vendor's driver said.
std::string shown_by(const model::Finding& cordon);

/// The errors among them, of all cards: no new slices there.
std::vector<model::Finding> bus_error_cordons(const model::HostSnapshot& host);

}  // namespace tessera::plan
