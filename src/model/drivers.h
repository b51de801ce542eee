// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tessera::model {

// What the name of a driver says. The kernel shows no more than the name, so these rules stand in
// one place.

/// Whether a PCI driver gives its devices to virtual machines: vfio-pci, or a variant of it for one
/// vendor ("nvgrace-gpu-vfio-pci", "mlx5_vfio_pci").
bool is_vfio_driver(std::string_view driver);

/// The name under which a VFIO module registers its PCI driver ("vfio_pci" gives "vfio-pci").
std::string vfio_driver_of_module(const std::string& module);

/// Whether a member of an IOMMU group that is on this driver lets others of the group be given
/// away: VFIO drivers, no driver, pci-stub, and those of bridges that do no DMA of their own
/// (driver_managed_dma in the kernel). Any other driver, on a bridge too, keeps the whole group.
bool shares_group_with_vfio(std::string_view driver);

}  // namespace tessera::model
