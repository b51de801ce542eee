// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "plan/doctor.h"

/// The checks' functions, by family; doctor_checks.cpp is the table that gives them their ids.
namespace tessera::plan::checks {

using Findings = std::vector<model::Finding>;

// iommu.cpp
Findings iommu_off(const CheckScope& scope);
Findings no_group(const CheckScope& scope);
// group.cpp
Findings group_shared(const CheckScope& scope);
Findings reserved_direct_region(const CheckScope& scope);
// virtualization.cpp
Findings virtualization_off(const CheckScope& scope);
Findings kvm_missing(const CheckScope& scope);
// vfio.cpp
Findings vfio_driver_missing(const CheckScope& scope);
Findings unsafe_interrupts(const CheckScope& scope);
Findings noiommu_mode(const CheckScope& scope);
// holders.cpp
Findings card_held(const CheckScope& scope);
// boot_display.cpp
Findings boot_framebuffer(const CheckScope& scope);
// reset.cpp
Findings weak_reset(const CheckScope& scope);
// binding.cpp
Findings card_split(const CheckScope& scope);
Findings stranded(const CheckScope& scope);
// identical.cpp
Findings identical_cards(const CheckScope& scope);
// slices.cpp
Findings slices_in_use(const CheckScope& scope);

}  // namespace tessera::plan::checks
