// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "model/plan.h"
#include "model/slice.h"

/// What NVIDIA's driver changes through nvidia-smi alone: no file of the kernel has it.
namespace tessera::plan::slices {

/// A mode of a card that nvidia-smi switches, and that it tells in its XML.
struct NvidiaMode {
  std::string_view kind;      ///< of the operation: "mig.mode"
  std::string_view element;   ///< "current_mig", which says Enabled or Disabled
  std::string_view switched;  ///< arguments for fmt::format: the card's address, then 1 or 0
  int deadline_ms = 0;        ///< for it to be switched
};

/// Turns the mode on; the undo turns it off. Each is done only where the other stands, and is read
/// back. `reason` is the operation's, `why` and `why_back` are those of the two steps.
model::Operation turn_on(const model::SliceSource& source, const NvidiaMode& mode,
                         std::string reason, std::string why, std::string why_back);

/// One run of nvidia-smi, with the time that resetting a card takes.
model::Step run_nvidia_smi(std::string arguments, std::string reason);

}  // namespace tessera::plan::slices
