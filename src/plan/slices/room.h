// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/slice.h"
#include "plan/slices/layout/layout.h"
#include "plan/slices/request.h"

namespace tessera::plan::slices {

/// The card's rules and what stands on it, which stays, as the layout problem has them. Offer i is
/// profile i of the source, and is capped by what the kernel says can be made now: it knows rules
/// that no file shows.
Room room_of(const model::SliceSource& source);

/// The wish over all sources: on each, the profiles that grant it.
Want want_of(const std::vector<const model::SliceSource*>& sources, const Wish& wish);

/// How many of a want fit by themselves beside what stands there: at most its count.
int most_that_fit(const std::vector<Room>& rooms, Want want);

/// Framebuffer that a card's slices can have together: the most that copies of one of its profiles
/// take. 0 where profiles have none, and where that cannot be told.
std::uint64_t framebuffer_for_slices(const model::SliceSource& source);

/// Placement ids of a size in NVIDIA's mixed mode before Blackwell: the region is halved as long as
/// the size fits and at most down to a sixteenth; a piece that is a left half holds its slice at
/// its beginning, a right half at its end. Agrees with NVIDIA's own comment on the A40: size 8 of
/// 48 has 0, 16, 24, 40 (open-gpu-kernel-modules, kernel_vgpu_mgr.c). All in GiB.
std::vector<int> halving_starts(int region, int size);

/// GVT-g's aperture, in bytes: the one of the sizes that firmware offers with which the counts that
/// the kernel shows come out, count = min((aperture - 128 MiB) / low, (4 GiB - aperture - 384 MiB)
/// / high, (32 - 4) / fences) on an empty card (drivers/gpu/drm/i915/gvt/{vgpu,aperture_gm}.c). 0
/// where none does.
std::uint64_t gvt_aperture(const model::SliceSource& source);

}  // namespace tessera::plan::slices
