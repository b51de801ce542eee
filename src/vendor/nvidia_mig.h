// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/slice.h"

/// What nvidia-smi prints of MIG, of one card ("-i"). Tables and lists as captured from an A100 and
/// an H100; lines of other forms (rules, heads, each profile's second line) are passed over.
namespace tessera::vendor {

/// The kinds of GPU instance that a card can be divided into, in the order of `mig -lgip`, with the
/// places of `mig -lgipp`:
///
///     |   0  MIG 1g.5gb+me     20     1/1        4.75       No     14     1     0   |
///     GPU  0 Profile ID 20 Placements: {0,1,2,3,4,5,6}:1
///
/// A kind without places there is left out: it cannot be put anywhere. None where nvidia-smi says
/// that no device has MIG, or that MIG is off. `name` is the texts' name for messages. Errors:
/// invalid, naming the line that has a row's beginning but is none, a row that came before, or one
/// of another card.
Result<std::vector<model::GpuInstanceProfile>> parse_gpu_instance_profiles(
    std::string_view profiles, std::string_view placements, std::string_view name);

/// The GPU instances there are, as `mig -lgi` lists them:
///
///     |   0  MIG 3g.47gb          9        1          0:4     |
///
/// None where nvidia-smi says that there are none. Errors: as above.
Result<std::vector<model::GpuInstance>> parse_gpu_instances(std::string_view instances,
                                                            std::string_view name);

}  // namespace tessera::vendor
