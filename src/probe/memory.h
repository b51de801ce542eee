// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "kernel/root.h"
#include "model/processors.h"

namespace tessera::probe {

/// The memory nodes with their processors, memory, huge pages and distances
/// (Documentation/ABI/stable/sysfs-devices-node), sorted by number.
std::vector<model::MemoryNode> read_memory_nodes(const kernel::Root& root);

/// The huge pages of the whole host (/sys/kernel/mm/hugepages), by size.
std::vector<model::HugePages> read_huge_pages(const kernel::Root& root);

/// Packages, cores and caches, by hwloc. Absent where the host shows none.
model::Reading<model::Processors> read_processors(const kernel::Root& root);

/// HardwareCorrupted of /proc/meminfo, in KiB.
model::Reading<std::uint64_t> read_failed_memory(const kernel::Root& root);

/// "Node 0 MemTotal:       65536 kB" of a node's meminfo; absent without such a line.
model::Reading<std::uint64_t> parse_meminfo(std::string_view text, std::string_view key);

/// "0-3,8" as numbers, ascending; nothing when it is not such a list, or names more than 65536.
std::optional<std::vector<int>> parse_cpu_list(std::string_view text);

}  // namespace tessera::probe
