// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Finding;
using model::HostSnapshot;
using model::MemoryNode;
using model::PciFunction;
using model::Severity;

namespace {

/// Nodes with processors; a card's own memory can be a node, and no machine's processors are there.
std::vector<std::string> nodes_with_processors(const HostSnapshot& host) {
  std::vector<std::string> names;
  for (const MemoryNode& node : host.nodes) {
    if (!node.cpus.value_or("").empty()) names.push_back(std::to_string(node.number));
  }
  return names;
}

Finding unknown(const PciFunction& function, std::size_t nodes) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = fmt::format("Which of the {} memory nodes is near the card is not known", nodes);
  finding.evidence = {
      seen_in(function, "numa_node", "-1"),
      {std::string(files::memory_nodes), fmt::format("{} nodes with processors", nodes)}};
  finding.cause = "The firmware's tables do not say it (ACPI _PXM).";
  finding.consequence =
      "Nothing can place a machine near its card: its memory and processors may be on the far "
      "side, and what passes to the card then takes the way between the nodes.";
  finding.fix =
      "Look in the board's manual which socket the slot is wired to, and pin the machine there; a "
      "firmware update, or an option named NUMA or SNC in its setup, may make it known.";
  return finding;
}

Finding incomplete(const PciFunction& function, const MemoryNode& node, bool no_memory) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = fmt::format("Node {}, where the card is, has no {}", node.number,
                              no_memory ? "memory" : "processors");
  finding.evidence = {seen_in(function, "numa_node", std::to_string(node.number)),
                      {files::memory_node(node.number, no_memory ? "meminfo" : "cpulist"),
                       no_memory ? std::string("MemTotal: 0 kB") : std::string("is empty")}};
  finding.cause = no_memory ? "Usually the memory slots of that socket are empty."
                            : "The processors of that node are offline, or it never had any.";
  finding.consequence = no_memory
                            ? "A machine's memory cannot be near the card: all that passes to it "
                              "takes the way between the sockets."
                            : "A machine's processors cannot be near the card.";
  finding.fix = no_memory ? "Put memory into the slots of that socket, or the card into a slot of "
                            "another one."
                          : "Bring the processors online, or put the card into another slot.";
  return finding;
}

}  // namespace

Findings numa_unknown(const CheckScope& scope) {
  Findings findings;
  const std::size_t nodes = nodes_with_processors(scope.host).size();
  if (nodes < 2) return findings;
  for (const auto* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (!function || function->numa_node != model::Reading<int>(-1)) continue;
    findings.push_back(unknown(*function, nodes));
    findings.back().card = card->address;
  }
  return findings;
}

Findings numa_without_memory(const CheckScope& scope) {
  Findings findings;
  for (const auto* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (!function || !function->numa_node.has_value()) continue;
    const auto node =
        std::ranges::find(scope.host.nodes, function->numa_node.value(), &MemoryNode::number);
    if (node == scope.host.nodes.end()) continue;
    const bool no_memory = node->memory_kib.value_or(1) == 0;
    if (!no_memory && !node->cpus.value_or("0").empty()) continue;
    findings.push_back(incomplete(*function, *node, no_memory));
    findings.back().card = card->address;
  }
  return findings;
}

}  // namespace tessera::plan::checks
