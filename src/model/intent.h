// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "model/pci.h"

namespace tessera::model {

enum class Owner {
  vm,    ///< bound to a VFIO driver, free for a virtual machine
  host,  ///< bound to the driver the host uses
};

enum class HolderPolicy {
  refuse,  ///< a card in use is refused, with the holder's name
  stop,    ///< stop the holders first (--stop-holders)
};

/// "Give this card to the machines" or "take it back".
struct AssignIntent {
  PciAddress card;  ///< its primary function, as in the snapshot
  Owner to = Owner::vm;
  HolderPolicy holders = HolderPolicy::refuse;
  bool force = false;       ///< accept warnings (weak reset, boot display); never skips isolation
  std::string vfio_driver;  ///< force this VFIO driver; empty: the best by modules.alias
  /// The driver each function had before it was given away, as the journal remembers it; a function
  /// that is missing here goes back to whatever the kernel's own matching picks.
  std::map<PciAddress, std::string> drivers_before;
};

}  // namespace tessera::model
