// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"
#include "model/plan.h"
#include "model/slice.h"
#include "plan/slices/cut.h"
#include "plan/slices/layout/layout.h"

/// MIG: an NVIDIA card divided into GPU instances, with vGPUs in those (NVIDIA vGPU software user
/// guide, "Configuring a GPU for MIG-Backed vGPUs"). What is made, in this order: the mode, the
/// virtual functions, the instances, then types as on any card. All of it is done by nvidia-smi, as
/// no file of the kernel has it.
namespace tessera::plan::slices {

/// The kind of GPU instance that a MIG-backed type stands in, among those the card has: as many
/// slices, media engines where the type's name asks for them ("ME"), graphics where there are such
/// and the series draws, and of these the smallest that has the type's framebuffer. Null where
/// there is none, and for other types.
const model::GpuInstanceProfile* instance_kind(const model::SliceSource& source,
                                               const model::Profile& profile);

/// Turns the mode on where some slices that are wanted are MIG-backed by all profiles that grant
/// them, on the one card that was named; its virtual functions are turned off first, as the mode
/// changes only without them. False where there is nothing to do. Errors: conflict where slices
/// stand there, or where others are wanted that are never MIG-backed.
Result<bool> plan_mig_mode(const std::vector<const model::SliceSource*>& sources,
                           const SliceIntent& intent, model::Plan& plan);

/// Makes the GPU instances of a layout that do not exist yet. False where there are none to make.
bool plan_gpu_instances(const std::vector<const model::SliceSource*>& sources, const Layout& layout,
                        model::Plan& plan);

/// "mig.mode": the undo turns it off.
model::Operation turn_on_mig(const model::SliceSource& source);

/// "mig.instance": a GPU instance of a kind at a place, with the compute instance that a guest
/// finds in it. It gets its number when it is made, so the undo looks for it by kind and place.
model::Operation make_gpu_instance(const model::SliceSource& source,
                                   const model::GpuInstanceProfile& kind, int start);

}  // namespace tessera::plan::slices
