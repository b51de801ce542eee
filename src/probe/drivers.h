// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/modules.h"
#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

/// The lines of modules.alias that can fit one of a host's PCI functions.
struct AliasTable {
  bool readable = false;                   ///< false: the running kernel's table is not there
  std::vector<kernel::ModuleAlias> vfio;   ///< "vfio_pci:..."
  std::vector<kernel::ModuleAlias> usual;  ///< "pci:..."
};

/// Reads /lib/modules/RELEASE/modules.alias, as far as it can fit `functions` (by their modalias).
/// `release` may be absent.
AliasTable read_alias_table(const kernel::Root& root, const model::Reading<std::string>& release,
                            const std::vector<model::PciFunction>& functions);

/// Fills in vfio_module and usual_driver of every function that has a modalias.
void add_driver_choices(const AliasTable& table, std::vector<model::PciFunction>& functions);

/// The module that udev's modprobe would end up with for `modalias`: of the patterns that fit, the
/// one with the fewest wildcards, then the first in the file. Old framebuffer drivers (nvidiafb,
/// radeonfb, ...) are passed over: every distribution blacklists them. Empty when none fits.
std::string usual_module(const std::vector<kernel::ModuleAlias>& aliases,
                         std::string_view modalias);

}  // namespace tessera::probe
