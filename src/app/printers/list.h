// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "app/printers/style.h"
#include "model/host.h"

namespace tessera::app {

inline constexpr std::string_view cards_schema = "tessera/cards/1";

/// To whom a card belongs now, by the drivers of its functions.
struct CardState {
  enum class Owner {
    host,     ///< its display function has a driver of the host
    vm,       ///< it is on a VFIO driver and no function is on another
    unbound,  ///< no function has a driver
    split,    ///< some functions are on VFIO drivers, some on the host's
    unknown,  ///< a recording that left the drivers out
  };
  Owner owner = Owner::unknown;
  std::string words;  ///< "host (nouveau)", "vm-ready (vfio-pci)", "split: 00.0 vfio-pci, ..."
};
std::string_view to_string(CardState::Owner owner);
CardState card_state(const model::HostSnapshot& host, const model::Card& card);

/// Whether a missing driver link means that no driver is bound: always on a live host, and
/// elsewhere where the function's other driver file was kept too.
bool driver_is_known(const model::HostSnapshot& host, const model::PciFunction& function);

/// The cards of a host as a table, a line a card and an indented one for each further function;
/// or a sentence that says why there is none.
std::string list_text(const model::HostSnapshot& host, const ReportStyle& style);

/// tessera/cards/1.
nlohmann::ordered_json list_json(const model::HostSnapshot& host);

/// "NVIDIA TU102 [GeForce RTX 2080 Ti]": the function's name with its vendor's made short.
std::string short_name(const model::PciFunction& function);

}  // namespace tessera::app
