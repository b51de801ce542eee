// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/plan.h"
#include "model/slice.h"

/// NVIDIA's mixed-size (heterogeneous) mode: vGPUs of different sizes side by side on a card. The
/// driver has it off after each start, and changes it only while the card has no vGPU.
namespace tessera::plan::slices {

/// Whether the mode can be turned on now: the driver tells that it is off, and the card is empty.
bool can_mix_sizes(const model::SliceSource& source);

/// Turns it on ("vgpu.mixed_sizes") by nvidia-smi, as no file of the kernel has it; the undo turns
/// it off. Read back from `nvidia-smi -q -x`.
model::Operation mix_sizes(const model::SliceSource& source);

}  // namespace tessera::plan::slices
