// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/pci_names.h"
#include "kernel/root.h"
#include "model/host.h"
#include "probe/function_directory.h"

namespace tessera::probe {

// Pieces of a function that pci.cpp and card_functions.cpp fill in.

/// The addresses of /sys/bus/pci/devices, sorted; none where that is not there.
Result<std::vector<model::PciAddress>> list_addresses(const kernel::Root& root);

/// Vendor, device, subsystem and class.
void read_ids(const FunctionDirectory& directory, model::PciFunction& function);
/// The names of vendor and device; the ids are there already.
void read_names(const kernel::Root& root, const kernel::PciNameTable& table,
                model::PciFunction& function);
/// The path and the bridge above, from the target of the function's link in /sys/bus/pci/devices.
void take_path(const Result<std::string>& target, model::PciFunction& function);
void read_path(const kernel::Root& root, model::PciFunction& function);
void read_physical_function(const FunctionDirectory& directory, model::PciFunction& function);
void read_driver_override(const FunctionDirectory& directory, model::PciFunction& function);
/// What a list of cards shows of one of their functions.
void read_card_function(const FunctionDirectory& directory, model::PciFunction& function);

}  // namespace tessera::probe
