// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/mixed_sizes.h"

#include <fmt/format.h>

#include "plan/slices/nvidia_mode.h"

namespace tessera::plan::slices {

using model::Operation;
using model::SliceSource;

namespace {

constexpr NvidiaMode mixed_sizes = {"vgpu.mixed_sizes", "vgpu_heterogeneous_mode",
                                    "vgpu -i {} -shm {}", 60'000};

}  // namespace

bool can_mix_sizes(const SliceSource& source) {
  return source.mixed_sizes == model::Reading<bool>(false) && source.slices.empty();
}

Operation mix_sizes(const SliceSource& source) {
  return turn_on(source, mixed_sizes,
                 fmt::format("vGPUs of different sizes side by side on {}", source.device),
                 "the driver has the mode off after each start",
                 "as it was; it changes only while the card has no vGPU");
}

}  // namespace tessera::plan::slices
