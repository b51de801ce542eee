// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/reading.h"

namespace tessera::model {

/// Huge pages of one size, of a memory node or of the whole host.
struct HugePages {
  std::uint64_t size_kib = 0;
  Reading<std::uint64_t> total = {};
  Reading<std::uint64_t> free = {};
};

/// A NUMA node: memory and the processors that are near it.
struct MemoryNode {
  int number = 0;
  Reading<std::string>
      cpus;  ///< a list, "0-7,16-23"; empty for memory without processors (a GPU's)
  Reading<std::uint64_t> memory_kib = {};
  Reading<std::uint64_t> free_kib = {};
  std::vector<HugePages> huge_pages;  ///< by size
  std::vector<int> distances;         ///< to node 0, 1, ... as listed; itself is 10; empty: unknown
};

/// A core with its hardware threads.
struct Core {
  int package = 0;
  int node = -1;          ///< -1: not known
  std::vector<int> cpus;  ///< the numbers that Linux gives its threads; two with SMT
};

/// A cache that several processors share.
struct Cache {
  int level = 3;
  std::uint64_t size_kib = 0;
  std::vector<int> cpus;
};

/// The processors, as hwloc sees them.
struct Processors {
  int packages = 0;
  std::vector<Core> cores;
  std::vector<Cache> last_level_caches;
  [[nodiscard]] int threads() const;
};

}  // namespace tessera::model
