// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/host.h"

namespace tessera::probe {

/// The boards among `functions`, sorted by address. Pure: the same functions give the same cards.
///
/// A card is a display or accelerator function that is no SR-IOV virtual function, with
///  - all functions of its slot (audio, USB, UCSI), except bridges, virtual functions and those of
///    another vendor (a server's management chip shows its VGA next to its own devices), and
///  - what sits behind the board's own switch, where the topology is known: an Arc's audio is on
///    another bus than its display, below the same upstream port of the GPU's vendor.
/// A GPU inside the processor package shares its slot with the package's other parts (an AMD APU's
/// slot holds the security processor), so there only the display and its audio belong to it.
std::vector<model::Card> find_cards(const std::vector<model::PciFunction>& functions);

/// A name for the card that outlives renumbering: "10de:1db4-10de:1212@0000/03.0/00.0", that is
/// vendor:device, then the subsystem's where known, then the way from the root bus to the card by
/// device and function numbers, which are wired, without the bus numbers, which are handed out
/// anew when a card or a firmware changes. The root bus itself is named only when it is not 00:
/// "@0000:80/03.0/00.0" is the second socket's, fixed by the firmware's tables.
/// Where the way is not known (a partial recording) it is "@0000:01:00.0".
///
/// A GPU's UUID or serial number is left out on purpose: only the vendor's driver tells it, so it
/// would vanish with the driver, and a card's name must not change when it is given to a machine.
std::string card_identity(const model::PciFunction& function);

}  // namespace tessera::probe
