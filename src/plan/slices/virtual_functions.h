// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"
#include "model/plan.h"
#include "model/slice.h"
#include "plan/slices/cut.h"

namespace tessera::plan::slices {

/// Turns virtual functions on ("vfs.enable"); the undo turns them off. The host's driver is kept
/// off the new ones by sriov_drivers_autoprobe, which is put back. On NVIDIA's driver its own tool,
/// sriov-manage, turns all of them on or off; a raw write to sriov_numvfs is refused there.
model::Operation enable_functions(const model::SliceSource& source, int count);

/// Turns all of a card's virtual functions off ("vfs.disable"); the undo turns as many on again.
model::Operation disable_functions(const model::SliceSource& source);

/// Gives those of a card's virtual functions that no driver has to their VFIO drivers, as a machine
/// needs them; the operations stand on those that turned them on. Where that cannot be, they stay
/// as they are and a note says why.
void give_to_vfio(const model::HostSnapshot& host, const model::SliceSource& source,
                  model::Plan& plan);

/// Plans what has to do with virtual functions themselves: slices that are virtual functions, and
/// virtual functions that slices will stand on. True where that is all there is to plan now.
/// Errors: unsupported, conflict.
Result<bool> plan_virtual_functions(const model::HostSnapshot& host,
                                    const std::vector<const model::SliceSource*>& sources,
                                    const SliceIntent& intent, model::Plan& plan);

}  // namespace tessera::plan::slices
