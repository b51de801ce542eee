// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "model/host.h"
#include "model/intent.h"
#include "model/plan.h"

namespace tessera::plan {

/// How a card changes hands, decided from the snapshot alone.
///
/// To vm: holders stopped (only if asked), boot framebuffer detached, VFIO module loaded, and every
/// function of the card moved to its VFIO driver by driver_override + unbind + drivers_probe, which
/// takes exactly this card and not its twin (ids= and new_id take every card with that id).
/// Bridges in the groups stay on their driver. To host: the override is cleared, the VFIO driver
/// let go, and the former driver probed.
///
/// A plan without operations means that there is nothing to do; its notes say so.
///
/// Errors:
///   conflict     a foreign device shares a group (named), or the boot display without force
///   busy         a process, virtual machine or slice uses the card (named)
///   unsupported  no IOMMU group, or no VFIO driver on this kernel
Result<model::Plan> plan_assign(const model::HostSnapshot& host, const model::AssignIntent& intent);

}  // namespace tessera::plan
