// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "kernel/root.h"

namespace tessera::kernel {

/// Packages, cores and caches of a host, as hwloc sees them.
struct ProcessorTopology {
  struct Core {
    int package = 0;
    int node = -1;          ///< -1: not known
    std::vector<int> cpus;  ///< the numbers that Linux gives its threads
  };
  struct Cache {
    int level = 3;
    std::uint64_t size_kib = 0;
    std::vector<int> cpus;
  };
  int packages = 0;
  std::vector<Core> cores;
  std::vector<Cache> last_level_caches;
};

/// Reads it with hwloc. A recording's files are written to a scratch folder for hwloc first.
/// Errors: not_found (the host shows no processors in /sys/devices/system/cpu), io.
Result<ProcessorTopology> read_processor_topology(const Root& root);

}  // namespace tessera::kernel
