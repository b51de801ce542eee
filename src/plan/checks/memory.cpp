// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "model/settings.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Finding;
using model::HostSnapshot;
using model::HugePages;
using model::Severity;

namespace {

/// "2M", "1G", "2048K" in KiB; nothing on another text.
std::optional<std::uint64_t> size_kib(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  auto number = text::to_number(text.substr(0, text.size() - 1));
  if (!number || *number == 0 || *number > 1U << 20U) return std::nullopt;
  switch (text.back()) {
    case 'K':
    case 'k':
      return number;
    case 'M':
    case 'm':
      return *number << 10U;
    case 'G':
    case 'g':
      return *number << 20U;
    default:
      return std::nullopt;
  }
}

std::string size_words(std::uint64_t kib) {
  return text::size(kib * 1024);
}

struct Asked {
  std::uint64_t size_kib = 0;  ///< 0: the kernel's default size
  std::uint64_t pages = 0;
};

/// "hugepagesz=1G hugepages=8 hugepagesz=2M hugepages=512": each count is of the size before it
/// (Documentation/admin-guide/mm/hugetlbpage.rst).
std::vector<Asked> asked_at_boot(const HostSnapshot& host) {
  std::vector<Asked> asked;
  std::uint64_t size = 0;
  for (const auto& argument : model::kernel_arguments(host.kernel.command_line.value_or(""))) {
    const auto equals = argument.find('=');
    if (equals == std::string::npos) continue;
    const auto name = argument.substr(0, equals);
    const std::string_view value = std::string_view(argument).substr(equals + 1);
    if (name == "default_hugepagesz" && size == 0) size = size_kib(value).value_or(0);
    if (name == "hugepagesz") size = size_kib(value).value_or(0);
    if (name != "hugepages") continue;
    if (auto pages = text::to_number(value)) asked.push_back({size, *pages});
  }
  return asked;
}

std::string pages_file(std::uint64_t size_kib, std::string_view file) {
  return fmt::format("{}/hugepages-{}kB/{}", files::huge_pages, size_kib, file);
}

const HugePages* of_size(const std::vector<HugePages>& all, std::uint64_t size_kib) {
  auto found = std::ranges::find(all, size_kib, &HugePages::size_kib);
  return found != all.end() ? &*found : nullptr;
}

/// The kernel's own default is 2 MiB on x86, wherever 1 GiB pages are there as well.
std::uint64_t default_size(const HostSnapshot& host) {
  return of_size(host.huge_pages, 2048) != nullptr || host.huge_pages.empty()
             ? 2048
             : host.huge_pages.front().size_kib;
}

Finding size_is_missing(const HostSnapshot& host, std::uint64_t size) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = fmt::format(
      "Huge pages of {} were asked for; this processor has none of that size", size_words(size));
  finding.evidence = command_line_evidence(host);
  finding.evidence.push_back({pages_file(size, ""), std::string(is_not_there)});
  if (finding.evidence.back().path.ends_with('/')) finding.evidence.back().path.pop_back();
  finding.cause =
      "1 GiB pages need the flag pdpe1gb in /proc/cpuinfo; virtual processors often lack it.";
  finding.consequence =
      "No huge pages of that size are there, and machines that want them do not start.";
  finding.fix = "Ask for a size that /sys/kernel/mm/hugepages lists.";
  return finding;
}

Finding too_few(const HostSnapshot& host, const HugePages& pages, std::uint64_t wanted) {
  Finding finding;
  const std::string path = pages_file(pages.size_kib, "nr_hugepages");
  finding.severity = Severity::warning;
  finding.title = fmt::format("{} huge pages of {} were asked for, {} are there", wanted,
                              size_words(pages.size_kib), pages.total.value());
  finding.evidence = {{path, std::to_string(pages.total.value())}};
  append(finding.evidence, command_line_evidence(host));
  append(finding.evidence, log_evidence(host, {"HugeTLB: allocating"}));
  finding.cause =
      "The kernel found not enough memory in one piece; pages of 1 GiB are often refused "
      "also at boot.";
  finding.consequence = "Machines whose memory is to lie on these pages do not start.";
  finding.fix = fmt::format(
      "Ask again now and read back what came of it; if it stays short, use "
      "fewer pages, or 2 MiB ones.");
  finding.command = fmt::format("echo {} | sudo tee {}; cat {}", wanted, path, path);
  return finding;
}

std::string node_pages_file(int node, std::uint64_t size) {
  return files::memory_node(node, fmt::format("hugepages/hugepages-{}kB/nr_hugepages", size));
}

/// A page size that other nodes have pages of, and `node` has none.
std::optional<std::uint64_t> size_elsewhere(const HostSnapshot& host,
                                            const model::MemoryNode& node) {
  for (const auto& pages : node.huge_pages) {
    if (pages.total.value_or(1) != 0) continue;
    const bool elsewhere = std::ranges::any_of(host.nodes, [&](const model::MemoryNode& other) {
      const HugePages* same = of_size(other.huge_pages, pages.size_kib);
      return same != nullptr && same->total.value_or(0) > 0;
    });
    if (elsewhere) return pages.size_kib;
  }
  return std::nullopt;
}

}  // namespace

Findings huge_pages_short(const CheckScope& scope) {
  const HostSnapshot& host = scope.host;
  if (host.huge_pages.empty()) return {};
  Findings findings;
  for (const auto& asked : asked_at_boot(host)) {
    const std::uint64_t size = asked.size_kib != 0 ? asked.size_kib : default_size(host);
    const HugePages* pages = of_size(host.huge_pages, size);
    if (pages == nullptr) {
      findings.push_back(size_is_missing(host, size));
    } else if (pages->total.has_value() && pages->total.value() < asked.pages) {
      findings.push_back(too_few(host, *pages, asked.pages));
    }
  }
  return findings;
}

Findings huge_pages_on_other_node(const CheckScope& scope) {
  const HostSnapshot& host = scope.host;
  if (host.nodes.size() < 2) return {};
  Findings findings;
  for (const auto* card : scope.cards) {
    const auto* function = host.function(card->address);
    if (function == nullptr || function->numa_node.value_or(-1) < 0) continue;
    const auto node =
        std::ranges::find(host.nodes, function->numa_node.value(), &model::MemoryNode::number);
    if (node == host.nodes.end()) continue;
    const auto size = size_elsewhere(host, *node);
    if (!size) continue;
    Finding finding;
    finding.severity = Severity::warning;
    finding.card = card->address;
    finding.title = fmt::format("No huge page of {} lies on the card's memory node {}",
                                size_words(*size), node->number);
    finding.evidence = {
        {files::pci_device(to_string(card->address), "numa_node"), std::to_string(node->number)}};
    for (const auto& other : host.nodes) {
      const HugePages* pages = of_size(other.huge_pages, *size);
      if (pages == nullptr || !pages->total.has_value()) continue;
      finding.evidence.push_back(
          {node_pages_file(other.number, *size), std::to_string(pages->total.value())});
    }
    finding.cause =
        "The pages were made on the other nodes only, or asked for without saying where.";
    finding.consequence =
        "A machine with this card gets memory that the card reaches over the link "
        "between the processors, slower.";
    finding.fix = "Make pages on the card's node; put the number that the machine needs for 1024.";
    finding.command = fmt::format("echo 1024 | sudo tee {}", node_pages_file(node->number, *size));
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings memlock_low(const CheckScope& scope) {
  const auto& kernel = scope.host.kernel;
  if (scope.cards.empty() || kernel.may_lock_any_memory.value_or(true)) return {};
  const std::string limit = kernel.memlock_limit.value_or("unlimited");
  auto bytes = text::to_number(limit);
  // No guest that a card makes sense for is smaller.
  constexpr std::uint64_t smallest_guest = std::uint64_t{512} << 20U;
  if (!bytes || *bytes >= smallest_guest) return {};
  Finding finding;
  finding.severity = Severity::note;
  finding.title = fmt::format(
      "You may lock {} KiB of memory: too little to start a machine with a card "
      "yourself",
      *bytes / 1024);
  finding.evidence = {{std::string(files::proc_self_limits), "Max locked memory " + limit}};
  finding.cause =
      "VFIO locks all memory of a machine, and this is the limit of the user who asks. "
      "libvirt raises it for its machines itself.";
  finding.consequence =
      "QEMU started by this user ends with \"VFIO_MAP_DMA failed: Cannot allocate "
      "memory\".";
  finding.fix =
      "Start machines through libvirt or as root, or give the user the limit and log in again.";
  finding.command = "echo '@kvm - memlock unlimited' | sudo tee /etc/security/limits.d/vfio.conf";
  return {finding};
}

}  // namespace tessera::plan::checks
