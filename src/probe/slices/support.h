// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/root.h"
#include "model/host.h"
#include "model/slice.h"

namespace tessera::probe::slices {

/// A virtual function of a card, by its number: virtfn0 has index 0.
struct VirtualFunction {
  int index = 0;
  std::string address;
};

/// The virtual functions that a physical function shows, by index. They are read, never computed:
/// the first may be at function .4 or .2, and they run on into further slots.
std::vector<VirtualFunction> virtual_functions(const kernel::Root& root,
                                               const std::string& physical);

/// The physical function of a device; nothing where it is none's virtual function.
std::optional<model::PciAddress> physical_function(const kernel::Root& root,
                                                   const std::string& device);

/// The source of the card that `device` is, or is a virtual function of: one that was found by the
/// same framework, or a new one, filled in as far as its card tells. A device of no card (a virtual
/// mdev parent, a partial recording) is a source by itself.
model::SliceSource& source_of(const kernel::Root& root, const model::HostSnapshot& host,
                              const std::string& device, model::Framework framework,
                              std::vector<model::SliceSource>& found);

/// Whether a framework has this card's slices already.
bool is_taken(const std::vector<model::SliceSource>& found, const model::PciAddress& card);

/// Driver and group of a device below `directory`.
model::SliceParent parent_at(const kernel::Root& root, std::string device, std::string directory);

/// Sorts profiles by the number in their type ("nvidia-63" before "nvidia-160"), slices by parent
/// and identity, parents by device, each once.
void put_in_order(model::SliceSource& source);

}  // namespace tessera::probe::slices
