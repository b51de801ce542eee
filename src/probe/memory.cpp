// SPDX-License-Identifier: Apache-2.0
#include "probe/memory.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "kernel/processor_topology.h"
#include "probe/read.h"

namespace tessera::probe {

namespace files = kernel::files;
using model::HugePages;
using model::MemoryNode;
using model::Reading;

namespace {

/// The number in "PREFIX123SUFFIX"; nothing on anything else.
std::optional<std::uint64_t> number_in(std::string_view name, std::string_view prefix,
                                       std::string_view suffix) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) ||
      name.size() <= prefix.size() + suffix.size()) {
    return std::nullopt;
  }
  return text::to_number(name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()));
}

Reading<std::uint64_t> read_count(const kernel::Root& root, const std::string& path) {
  auto text = read_text(root, path);
  if (text.is_unreadable()) return Reading<std::uint64_t>::unreadable(text.why());
  auto number = text::to_number(text.value_or(""));
  return number ? Reading(*number) : Reading<std::uint64_t>{};
}

std::vector<HugePages> huge_pages_below(const kernel::Root& root, const std::string& folder) {
  std::vector<HugePages> all;
  auto names = root.list(folder);
  if (!names) return all;
  for (const auto& name : *names) {
    auto size = number_in(name, "hugepages-", "kB");
    if (!size) continue;
    all.push_back({.size_kib = *size,
                   .total = read_count(root, fmt::format("{}/{}/nr_hugepages", folder, name)),
                   .free = read_count(root, fmt::format("{}/{}/free_hugepages", folder, name))});
  }
  std::ranges::sort(all, {}, &HugePages::size_kib);
  return all;
}

MemoryNode read_node(const kernel::Root& root, int number) {
  MemoryNode node;
  node.number = number;
  node.cpus = read_text(root, files::memory_node(number, "cpulist"));
  auto meminfo = read_text(root, files::memory_node(number, "meminfo")).value_or("");
  node.memory_kib = parse_meminfo(meminfo, "MemTotal");
  node.free_kib = parse_meminfo(meminfo, "MemFree");
  node.huge_pages = huge_pages_below(root, files::memory_node(number, "hugepages"));
  auto distances = read_text(root, files::memory_node(number, "distance")).value_or("");
  for (auto word : text::words(distances)) node.distances.push_back(parse_int(word).value_or(0));
  return node;
}

}  // namespace

std::vector<MemoryNode> read_memory_nodes(const kernel::Root& root) {
  std::vector<MemoryNode> nodes;
  auto names = root.list(files::memory_nodes);
  if (!names) return nodes;
  for (const auto& name : *names) {
    auto number = number_in(name, "node", "");
    if (number && *number < 65536) nodes.push_back(read_node(root, static_cast<int>(*number)));
  }
  std::ranges::sort(nodes, {}, &MemoryNode::number);
  return nodes;
}

std::vector<HugePages> read_huge_pages(const kernel::Root& root) {
  return huge_pages_below(root, std::string(files::huge_pages));
}

Reading<std::uint64_t> read_failed_memory(const kernel::Root& root) {
  const auto text = read_text(root, files::proc_meminfo);
  if (text.is_unreadable()) return Reading<std::uint64_t>::unreadable(text.why());
  return parse_meminfo(text.value_or(""), "HardwareCorrupted");
}

Reading<model::Processors> read_processors(const kernel::Root& root) {
  auto seen = kernel::read_processor_topology(root);
  if (!seen) {
    return seen.error().kind == ErrorKind::not_found
               ? Reading<model::Processors>{}
               : Reading<model::Processors>::unreadable(why_unreadable(seen.error()));
  }
  model::Processors processors;
  processors.packages = seen->packages;
  for (auto& core : seen->cores) {
    processors.cores.push_back(
        {.package = core.package, .node = core.node, .cpus = std::move(core.cpus)});
  }
  for (auto& cache : seen->last_level_caches) {
    processors.last_level_caches.push_back(
        {.level = cache.level, .size_kib = cache.size_kib, .cpus = std::move(cache.cpus)});
  }
  return processors;
}

Reading<std::uint64_t> parse_meminfo(std::string_view text, std::string_view key) {
  const std::string wanted = fmt::format("{}:", key);
  for (auto line : text::lines(text)) {
    auto words = text::words(line);
    auto found = std::ranges::find(words, wanted);
    if (found == words.end() || found + 1 == words.end()) continue;
    if (auto number = text::to_number(*(found + 1))) return *number;
  }
  return {};
}

std::optional<std::vector<int>> parse_cpu_list(std::string_view text) {
  constexpr std::uint64_t most = 65536;
  std::vector<int> cpus;
  text = text::trim(text);
  if (text.empty()) return cpus;
  for (auto piece : text::split(text, ',')) {
    auto dash = piece.find('-');
    auto first = text::to_number(piece.substr(0, dash));
    auto last = dash == std::string_view::npos ? first : text::to_number(piece.substr(dash + 1));
    if (!first || !last || *last < *first || *last >= most) return std::nullopt;
    for (auto cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<int>(cpu));
  }
  std::ranges::sort(cpus);
  const auto repeated = std::ranges::unique(cpus);
  cpus.erase(repeated.begin(), repeated.end());
  return cpus;
}

}  // namespace tessera::probe
