// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "lab/instance.h"
#include "lab/qemu_args.h"
#include "lab/spec.h"

namespace tessera::lab {

/// What a host needs of the machine outside before QEMU can start.
struct Prepared {
  Outside outside;
  /// One server process for each function of each identity card: their command lines.
  std::vector<std::vector<std::string>> card_servers;
};

/// Finds a QEMU that is new enough, gets a kernel with the host's modules and an initrd into the
/// cache, finds out whether KVM works, and looks the identity cards up. Errors: not_found (no
/// QEMU), unsupported (it is too old, or a module cannot be built here), invalid (a path with a
/// blank in it, an unknown identity card), and whatever getting a kernel meets.
Result<Prepared> prepare(const Places& places, const LabSpec& spec, const StartOptions& options);

}  // namespace tessera::lab
