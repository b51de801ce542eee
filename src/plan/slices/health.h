// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/finding.h"
#include "model/slice_health.h"

/// What a card's health means for the slices on it: how much framebuffer error protection takes,
/// and which cards should get no new slices.
namespace tessera::plan::slices {

enum class MemoryKind {
  gddr,  ///< ECC's check bits lie in the framebuffer itself
  hbm,   ///< ECC's check bits have memory of their own
};
/// From the width of the memory bus, which the driver tells: one stack of HBM has 1024 lanes, and
/// no card with GDDR has more than 512 in all. Absent or unreadable as the width is.
model::Reading<MemoryKind> memory_kind(const model::GpuHealth& gpu);

/// Framebuffer that ECC takes now. It is 1/16 of what is on the card with GDDR, which is 1/15 of
/// the total that the driver reports, as that leaves it out already; nothing with HBM, nothing
/// where ECC is off or the card has none. Absent where the mode, the kind of memory or the total is
/// not told.
model::Reading<std::uint64_t> ecc_cost_bytes(const model::GpuHealth& gpu);

/// The total that the driver will report after the card's next reset, when the pending ECC mode
/// takes effect. Slices that fit now may not fit then. Absent where that is not known.
model::Reading<std::uint64_t> framebuffer_after_reset_bytes(const model::GpuHealth& gpu);

/// Framebuffer that a card which makes vGPUs without SR-IOV keeps back for pages to retire, whether
/// ECC is on or not and whatever its memory is: 64 pages of 2 MiB from Pascal on, of 64 KiB on
/// Maxwell (the driver's release notes, page-retirement-allocation). It is spread over the vGPUs
/// that the card can have of a type. Nothing where the card makes vGPUs on virtual functions or
/// retires no pages. Absent where the architecture is not told: drivers before 450 do not.
model::Reading<std::uint64_t> page_retirement_cost_bytes(const model::GpuHealth& gpu);

/// Why cards should get no new slices, one finding for each reason:
///
///   row-remapping-failed     error    the card's spare memory rows are used up
///   uncorrected-errors       error    data was lost since the driver was loaded
///   recovery-action          error    the driver asks for a reset or a reboot
///   row-remapping-pending    warning  a bad row goes out of use with the next reset
///   page-retirement-pending  warning  bad pages go out of use when the driver is loaded anew
///
/// What is absent or N/A is no reason: nothing is known to be wrong. Each finding lists the vGPUs
/// on the card and their machines, since the fix stops them.
std::vector<model::Finding> cordons(const model::HealthReport& report);

/// Whether one of the findings is about the card.
bool is_cordoned(const std::vector<model::Finding>& cordons, const model::PciAddress& card);

}  // namespace tessera::plan::slices
