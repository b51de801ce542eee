// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/slice.h"

namespace tessera::vendor {

/// The vGPU types that a card can have at all, whatever stands on it and whichever mode it is in.
struct SupportedTypes {
  model::PciAddress card;
  /// Profile::type is the type's number; a type's name says its framebuffer and series as anywhere.
  std::vector<model::Profile> profiles;
};

/// The text of `nvidia-smi vgpu -s -v`: a line for each card, a block for each type that begins
/// with its number, as NVIDIA's vGPU software documentation shows it:
///
///     GPU 00000000:83:00.0
///         vGPU Type ID                : 0xb
///             Name                    : GRID M60-0B
///             Max Instances           : 16
///             Display Heads           : 2
///
/// Keys are looked for by name, and those that are not there leave their value absent. Types
/// without a name are left out. No cards where nvidia-smi says that it has none. `name` is the
/// text's name for messages. Errors: invalid, naming the line: a card's line without an address, a
/// type's without a number, a card or a type of it that came before.
Result<std::vector<SupportedTypes>> parse_nvidia_vgpu_types(std::string_view text,
                                                            std::string_view name);

}  // namespace tessera::vendor
