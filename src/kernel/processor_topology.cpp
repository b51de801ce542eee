// SPDX-License-Identifier: Apache-2.0
#include "kernel/processor_topology.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <hwloc.h>

#include "kernel/files.h"

namespace tessera::kernel {

namespace {

namespace fs = std::filesystem;

// hwloc wants a host's files below a real folder; what it looks for there.
constexpr std::string_view wanted_trees[] = {files::processors, files::memory_nodes};
constexpr std::string_view wanted_files[] = {files::proc_cpuinfo, files::proc_meminfo};
// Below a processor or node and of no use to hwloc; there are thousands of files in them.
constexpr std::string_view unwanted[] = {
    "acpi_cppc",        "compact",          "cpufreq",   "cpuidle",  "crash_notes",
    "crash_notes_size", "hotplug",          "microcode", "numastat", "power",
    "reclaim",          "thermal_throttle", "uevent",    "vmstat",   "vulnerabilities"};
constexpr int deepest = 6;

/// A scratch folder with a copy of the files that hwloc reads, removed at the end. What a link
/// leads to is copied as long as it stays inside the root: that is Root's own promise.
class CopiedHost {
 public:
  explicit CopiedHost(const Root& root) {
    auto pattern = (fs::temp_directory_path() / "tessera-cpus-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) return;
    folder_ = pattern;
    for (auto tree : wanted_trees) copy_tree(root, std::string(tree), 0);
    for (auto file : wanted_files) copy_file(root, std::string(file));
  }
  CopiedHost(const CopiedHost&) = delete;
  CopiedHost& operator=(const CopiedHost&) = delete;
  ~CopiedHost() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  void copy_tree(const Root& root, const std::string& path, int depth) const {
    auto names = root.list(path);
    if (!names) return copy_file(root, path);
    if (depth == deepest) return;
    for (const auto& name : *names) {
      const auto below = fmt::format("{}/{}", path, name);
      if (std::ranges::find(unwanted, name) != std::end(unwanted)) continue;
      if (root.read_link(below)) continue;  // cpu0/node0, node0/cpu0: they would go round
      copy_tree(root, below, depth + 1);
    }
  }
  void copy_file(const Root& root, const std::string& path) const {
    auto content = root.read(path);
    if (!content) return;
    std::error_code ignored;
    fs::create_directories(fs::path(folder_ + path).parent_path(), ignored);
    std::ofstream(folder_ + path, std::ios::binary) << *content;
  }
  std::string folder_;
};

struct Destroy {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<hwloc_topology, Destroy>;

/// Loads the topology of the folder that stands for "/"; empty for this machine.
Topology load(const std::string& folder) {
  constexpr const char* variable = "HWLOC_FSROOT";
  if (!folder.empty()) ::setenv(variable, folder.c_str(), 1);
  hwloc_topology_t raw = nullptr;
  hwloc_topology_init(&raw);
  Topology topology(raw);
  hwloc_topology_set_io_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE);
  const bool loaded = hwloc_topology_load(raw) == 0;
  if (!folder.empty()) ::unsetenv(variable);
  return loaded ? std::move(topology) : Topology();
}

std::vector<int> numbers_in(hwloc_const_bitmap_t set) {
  std::vector<int> numbers;
  for (int cpu = hwloc_bitmap_first(set); cpu >= 0; cpu = hwloc_bitmap_next(set, cpu)) {
    numbers.push_back(cpu);
  }
  return numbers;
}

int package_of(hwloc_topology_t topology, hwloc_obj_t object) {
  hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, object);
  return package != nullptr ? static_cast<int>(package->os_index) : 0;
}

ProcessorTopology taken_from(hwloc_topology_t topology) {
  ProcessorTopology seen;
  seen.packages = std::max(hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PACKAGE), 1);
  hwloc_obj_t core = nullptr;
  while ((core = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_CORE, core)) != nullptr) {
    const bool one_node = hwloc_bitmap_weight(core->nodeset) == 1;
    seen.cores.push_back({.package = package_of(topology, core),
                          .node = one_node ? hwloc_bitmap_first(core->nodeset) : -1,
                          .cpus = numbers_in(core->cpuset)});
  }
  hwloc_obj_t cache = nullptr;
  while ((cache = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_L3CACHE, cache)) != nullptr) {
    seen.last_level_caches.push_back({.level = 3,
                                      .size_kib = cache->attr->cache.size / 1024,
                                      .cpus = numbers_in(cache->cpuset)});
  }
  return seen;
}

}  // namespace

Result<ProcessorTopology> read_processor_topology(const Root& root) {
  if (!root.exists(fmt::format("{}/possible", files::processors)) &&
      !root.exists(fmt::format("{}/online", files::processors))) {
    return fail(ErrorKind::not_found, std::string(files::processors), "it shows no processors");
  }
  // Of an observed live system too: hwloc's own reads would be seen by nobody.
  std::unique_ptr<CopiedHost> copied;
  if (root.kind() != Root::Kind::live || root.is_observed())
    copied = std::make_unique<CopiedHost>(root);
  auto topology = load(copied ? copied->folder() : std::string());
  if (!topology) {
    return fail(ErrorKind::io, std::string(files::processors), "hwloc makes no sense of it");
  }
  return taken_from(topology.get());
}

}  // namespace tessera::kernel
