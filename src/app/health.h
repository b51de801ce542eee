// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "kernel/root.h"
#include "model/host.h"
#include "model/slice_health.h"

namespace tessera::app {

/// Files that a person gives in place of asking the driver.
struct HealthTexts {
  std::string cards;  ///< what `nvidia-smi -q -x` printed
  std::string vgpus;  ///< what `nvidia-smi vgpu -q` printed
};

/// How much is asked for: NVML answers at once, nvidia-smi takes a second or two.
enum class HealthDepth {
  cordons,     ///< what decides where new slices may be made, from the first source there is
  everything,  ///< all that any source tells
};

/// What NVIDIA's driver says of a host's cards, from where it can be had: the texts that were
/// given; a recording's notes; NVML and nvidia-smi of the running system; nvidia-smi of a rehearsal
/// host. Nothing where no card is NVIDIA's driver's, or nobody can be asked. Errors: those of the
/// sources, where all that could be asked failed.
Result<std::optional<model::HealthReport>> read_health(const kernel::Root& root,
                                                       const model::HostSnapshot& host,
                                                       HealthDepth depth,
                                                       const HealthTexts& texts = {});

/// Fills in HostSnapshot::cordons (those of the bus too, whoever drives the card), and whether MIG
/// and mixed sizes are on where no file of the kernel told. A driver that does not answer changes
/// nothing and is no error: nothing bad is known then. Returns what it said in place of an answer;
/// empty: all is well.
std::string fill_health(const kernel::Root& root, model::HostSnapshot& host);

/// The same, and what else the planner of slices asks the driver for (nvidia_driver.h).
std::string fill_for_slices(const kernel::Root& root, model::HostSnapshot& host);

}  // namespace tessera::app
