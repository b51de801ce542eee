// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"
#include "plan/isolation.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Card;
using model::Finding;
using model::HostSnapshot;
using model::PciAddress;
using model::Severity;

namespace {

std::vector<std::string> names_of(const std::vector<PciAddress>& addresses) {
  std::vector<std::string> names;
  for (const PciAddress& address : addresses) names.push_back(model::to_string(address));
  return names;
}

/// describe_function() without the address, which the evidence's path ends with.
std::string words_for(const HostSnapshot& host, const PciAddress& address) {
  const std::string words = describe_function(host, address);
  const std::size_t open = words.find('(');
  return open == std::string::npos ? "a member" : words.substr(open + 1, words.size() - open - 2);
}

/// Cards other than `card` that have a function among `foreign`.
std::vector<std::string> other_cards(const HostSnapshot& host,
                                     const std::vector<PciAddress>& foreign) {
  std::vector<std::string> names;
  for (const PciAddress& address : foreign) {
    const Card* other = host.card_of(address);
    if (!other) continue;
    std::string name = model::to_string(other->address);
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::string fix_for(const HostSnapshot& host, const GroupTrouble& trouble) {
  std::string fix =
      "Put the card into a slot that has a root port of its own (those wired to the processor "
      "usually have), or move the other device; some firmware has an option named ACS. "
      "pcie_acs_override= does nothing on Debian's kernel, and where a kernel was patched to know "
      "it, it only claims an isolation that the hardware does not give.";
  if (auto cards = other_cards(host, trouble.foreign); !cards.empty()) {
    fix += fmt::format(" As they are, {} and this card could only belong to the same machine.",
                       text::join(cards, ", "));
  }
  return fix;
}

/// The ports above the card that do not keep their neighbours apart, by their own configuration.
void add_ports_without_acs(const HostSnapshot& host, const Card& card, Finding& finding) {
  const model::PciFunction* below = host.function(card.address);
  while (below != nullptr && below->parent) {
    below = host.function(*below->parent);
    if (below == nullptr || !below->capabilities.has_value()) continue;
    const auto& capabilities = below->capabilities.value();
    if (capabilities.acs && capabilities.acs->isolates()) continue;
    std::string_view acs = !capabilities.acs                 ? "no ACS capability"
                           : capabilities.acs->can_isolate() ? "ACS is not switched on"
                                                             : "ACS that does not isolate";
    finding.evidence.push_back({files::pci_device(model::to_string(below->address), "config"),
                                fmt::format("{}, {}", to_string(capabilities.type), acs)});
  }
}

Finding shared(const HostSnapshot& host, const Card& card, const GroupTrouble& trouble) {
  Finding finding;
  finding.severity = Severity::error;
  finding.card = card.address;
  const std::string count = trouble.foreign.size() == 1
                                ? "another device"
                                : fmt::format("{} other devices", trouble.foreign.size());
  finding.title = fmt::format("IOMMU group {} holds {} too: {}", trouble.group, count,
                              text::join(names_of(trouble.foreign), ", "));
  finding.evidence.push_back({files::iommu_group(trouble.group, "devices"),
                              text::join(names_of(host.group(trouble.group)->members), " ")});
  for (const PciAddress& address : trouble.foreign) {
    std::string name = model::to_string(address);
    finding.evidence.push_back({files::pci_device(name), words_for(host, address)});
  }
  add_ports_without_acs(host, card, finding);
  finding.cause =
      fmt::format("The IOMMU cannot tell them apart from the card: {}.", trouble.reason);
  finding.consequence = fmt::format(
      "A group has one owner as a whole. While a host driver uses the other {}, VFIO refuses the "
      "card (\"group {} is not viable\"); giving everything away would hand the machine what it "
      "was not meant to have. tessera assign refuses, also with --force.",
      trouble.foreign.size() == 1 ? "device" : "devices", trouble.group);
  finding.fix = fix_for(host, trouble);
  return finding;
}

}  // namespace

Findings group_shared(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    for (const GroupTrouble& trouble : foreign_members(scope.host, *card)) {
      findings.push_back(shared(scope.host, *card, trouble));
    }
  }
  return findings;
}

Findings reserved_direct_region(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    Finding finding;
    for (int number : card->groups) {
      const model::IommuGroup* group = scope.host.group(number);
      if (!group) continue;
      for (const auto& region : group->reserved_regions) {
        if (region.type != "direct") continue;
        finding.evidence.push_back(
            {files::iommu_group(number, "reserved_regions"),
             fmt::format("0x{:016x} 0x{:016x} {}", region.first, region.last, region.type)});
      }
    }
    if (finding.evidence.empty()) continue;
    append(finding.evidence, log_evidence(scope.host, {"RMRR"}));
    finding.severity = Severity::error;
    finding.card = card->address;
    finding.title = "The firmware keeps memory shared with the card (direct reserved region)";
    finding.cause =
        "The firmware's tables (Intel: RMRR) say that a management controller or the firmware "
        "itself goes on talking to the card through this memory while the system runs. Regions "
        "marked direct-relaxable are harmless; this one is not.";
    finding.consequence =
        "The kernel refuses to give the card away: \"Device is ineligible for IOMMU domain attach "
        "due to platform RMRR requirement\" (EPERM).";
    finding.fix =
        "Look in the firmware setup, or the vendor's tool for it, for the option that ends this "
        "for the slot (HPE: shared memory, set by conrep), update the firmware, or use another "
        "slot.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
