// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

/// The IOMMU groups, sorted by number, with members from both sides: a group's devices/ directory
/// and every function's own iommu_group link. A recording often has only one of the two.
/// Fills in PciFunction::iommu_group where only the group's side tells.
std::vector<model::IommuGroup> read_groups(const kernel::Root& root,
                                           std::vector<model::PciFunction>& functions);

/// The lines of a reserved_regions file, "0x00000000fee00000 0x00000000feefffff msi"
/// (Documentation/ABI/testing/sysfs-kernel-iommu_groups). Lines of another form are skipped.
std::vector<model::ReservedRegion> parse_reserved_regions(std::string_view text);

}  // namespace tessera::probe
