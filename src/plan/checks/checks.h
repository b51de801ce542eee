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
Findings card_health(const CheckScope& scope);
// bus_errors.cpp
Findings bus_errors(const CheckScope& scope);
// memory_failure.cpp
Findings memory_failure(const CheckScope& scope);
// presence.cpp
Findings card_off_bus(const CheckScope& scope);
Findings card_asleep(const CheckScope& scope);
// link.cpp
Findings link_narrow(const CheckScope& scope);
Findings link_slow(const CheckScope& scope);
// bars.cpp
Findings bar_unassigned(const CheckScope& scope);
Findings vf_bar_unassigned(const CheckScope& scope);
Findings bar_cant_reserve(const CheckScope& scope);
Findings rebar_small(const CheckScope& scope);
Findings big_bars(const CheckScope& scope);
// acs.cpp
Findings acs_override_lies(const CheckScope& scope);
Findings card_on_conventional_bus(const CheckScope& scope);
// reset_trouble.cpp
Findings reset_failed(const CheckScope& scope);
Findings vendor_reset_needed(const CheckScope& scope);
Findings reset_shared(const CheckScope& scope);
// letting_go.cpp
Findings driver_will_not_let_go(const CheckScope& scope);
// numa.cpp
Findings numa_unknown(const CheckScope& scope);
Findings numa_without_memory(const CheckScope& scope);
// companions.cpp
Findings audio_split(const CheckScope& scope);
Findings variant_driver(const CheckScope& scope);
Findings vfio_driver_not_best(const CheckScope& scope);
// rom.cpp
Findings rom_needed(const CheckScope& scope);
Findings vfio_vga(const CheckScope& scope);
// sr_iov.cpp
Findings sriov_off(const CheckScope& scope);
Findings sriov_unsupported(const CheckScope& scope);
Findings vf_lost(const CheckScope& scope);
// mediated.cpp
Findings mdev_vendor_framework(const CheckScope& scope);
Findings mdev_missing(const CheckScope& scope);
Findings gvt_conditions(const CheckScope& scope);
// kernel_arguments.cpp
Findings amd_iommu_on(const CheckScope& scope);
Findings other_makers_argument(const CheckScope& scope);
Findings iommu_passthrough_argument(const CheckScope& scope);
Findings interrupt_remapping_off(const CheckScope& scope);
Findings unknown_kernel_parameter(const CheckScope& scope);
Findings framebuffer_argument_ignored(const CheckScope& scope);
Findings dracut_argument_ignored(const CheckScope& scope);
Findings argument_not_in_effect(const CheckScope& scope);
// module_settings.cpp
Findings ids_with_blank(const CheckScope& scope);
Findings ids_of_wrong_form(const CheckScope& scope);
Findings ids_take_twins(const CheckScope& scope);
Findings ids_fit_nothing(const CheckScope& scope);
Findings ids_too_late(const CheckScope& scope);
Findings blacklist_without_effect(const CheckScope& scope);
Findings unknown_module(const CheckScope& scope);
// memory.cpp
Findings huge_pages_short(const CheckScope& scope);
Findings huge_pages_on_other_node(const CheckScope& scope);
Findings memlock_low(const CheckScope& scope);
// kernel_build.cpp
Findings iommufd_missing(const CheckScope& scope);
Findings kernel_locked_down(const CheckScope& scope);
Findings module_rejected(const CheckScope& scope);
Findings free_driver_has_card(const CheckScope& scope);

}  // namespace tessera::plan::checks
