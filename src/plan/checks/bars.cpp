// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"
#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Bar;
using model::Card;
using model::Evidence;
using model::Finding;
using model::HostSnapshot;
using model::PciFunction;
using model::Severity;

namespace {

/// A BAR without an address, by its index, with what shows it.
using Unassigned = std::map<int, Evidence>;

/// The index in "BAR 1: no space for [mem ...]" (older kernels) and "VF BAR 0 [mem ...]: can't
/// assign; no space" (newer ones, where those of VFs count from 0).
std::optional<int> bar_index(std::string_view line) {
  constexpr std::string_view word = "BAR ";
  const auto at = line.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  auto digits = line.substr(at + word.size());
  digits = digits.substr(0, std::min(digits.find_first_not_of("0123456789"), digits.size()));
  const auto number = text::to_number(digits);
  if (!number || *number > 12) return std::nullopt;
  const bool of_vfs = line.substr(0, at).ends_with("VF ");
  return static_cast<int>(*number) + (of_vfs ? model::first_vf_bar : 0);
}

/// What the kernel log's last word on each BAR is, where it is that it has no address. I/O ports
/// are left out: no machine needs a card's.
Unassigned unassigned_by_log(const HostSnapshot& host, const PciFunction& function) {
  Unassigned found;
  for (const Evidence& line :
       log_evidence_about(host, function, {"no space", "failed to assign", "assigned"})) {
    const auto index = bar_index(line.text);
    if (!index || line.text.find("[io") != std::string::npos) continue;
    found.erase(*index);
    if (line.text.find("assigned") == std::string::npos) found.emplace(*index, line);
  }
  return found;
}

Evidence bar_evidence(const PciFunction& function, const Bar& bar) {
  return seen_in(function, "resource",
                 fmt::format("line {}: 0x{:016x} 0x{:016x}, a size and no address", bar.index + 1,
                             bar.first, bar.last));
}

/// The memory BARs that have no address. The `resource` file is the present; the log may be older.
Unassigned unassigned(const HostSnapshot& host, const PciFunction& function) {
  Unassigned found = unassigned_by_log(host, function);
  if (!function.bars.has_value()) return found;
  for (const Bar& bar : function.bars.value()) {
    if (bar.io) continue;
    found.erase(bar.index);
    if (bar.first == 0 && bar.last != 0) found.emplace(bar.index, bar_evidence(function, bar));
  }
  return found;
}

constexpr std::string_view above_4g =
    "Switch on \"Above 4G Decoding\" in the firmware setup (and switch CSM off, which often hides "
    "it), or update the firmware; with many large cards, look for an option named MMIO High Size "
    "or MMIOH Base too.";

Finding without_address(const PciFunction& function, const Unassigned& bars) {
  const bool one = bars.size() == 1;
  Finding finding;
  finding.severity = Severity::error;
  std::vector<std::string> names;
  for (const auto& [index, seen] : bars) {
    names.push_back(std::to_string(index));
    finding.evidence.push_back(seen);
  }
  finding.title =
      fmt::format("{} {} of {} no address", one ? "BAR" : "BARs", text::join(names, ", "),
                  model::to_string(function.address) + (one ? " has" : " have"));
  finding.cause =
      "The firmware left no room for it in the bridges above: memory below 4 GiB is too small for "
      "today's cards.";
  finding.consequence =
      "The card's driver fails, and a machine gets a card with part of its memory missing.";
  finding.fix = above_4g;
  return finding;
}

Finding vfs_without_address(const PciFunction& function, const Unassigned& bars) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = fmt::format("There are no addresses for the virtual functions of {}",
                              model::to_string(function.address));
  for (const auto& [index, seen] : bars) finding.evidence.push_back(seen);
  finding.cause =
      "The firmware left no room for the memory of all virtual functions in the bridges above.";
  finding.consequence =
      "They cannot be switched on: \"not enough MMIO resources for SR-IOV\" (ENOMEM). The whole "
      "card can be given away.";
  finding.fix =
      fmt::format("{} An option named SR-IOV there makes the firmware leave the room.", above_4g);
  return finding;
}

/// `bars` on one side of first_vf_bar; the ROM is not memory that a card needs to work.
Unassigned part_of(const Unassigned& bars, bool of_vfs) {
  Unassigned part;
  for (const auto& [index, seen] : bars) {
    if (index != model::rom_bar && (index >= model::first_vf_bar) == of_vfs) {
      part.emplace(index, seen);
    }
  }
  return part;
}

std::uint64_t wide_memory(const HostSnapshot& host, const Card& card,
                          std::vector<Evidence>& evidence) {
  std::uint64_t sum = 0;
  for (const auto* function : functions_of(host, card)) {
    if (!function->bars.has_value()) continue;
    for (const Bar& bar : function->bars.value()) {
      if (bar.index >= model::rom_bar || bar.io || !bar.wide) continue;
      sum += bar.size();
      evidence.push_back(
          seen_in(*function, "resource",
                  fmt::format("line {}: {}, 64-bit", bar.index + 1, text::size(bar.size()))));
    }
  }
  return sum;
}

Finding big(const Card& card, std::uint64_t sum, std::vector<Evidence> evidence) {
  constexpr std::uint64_t mib = 1 << 20;
  const std::uint64_t window = std::bit_ceil(sum);
  Finding finding;
  finding.severity = Severity::note;
  finding.card = card.address;
  finding.title = fmt::format("A machine needs {} of address space above 4 GiB for the card",
                              text::size(window));
  finding.evidence = std::move(evidence);
  finding.cause =
      "Its BARs are that large, and each must lie at a multiple of its size. OVMF leaves 32 GiB, "
      "and newer builds an eighth of what the guest's processor can address (40 bits: 128 GiB).";
  finding.consequence =
      "Where the window is too small, the machine's firmware leaves the card without memory: its "
      "driver finds BARs of size 0, or the machine takes minutes to start.";
  finding.fix = fmt::format(
      "Give the machine the host's address width (QEMU: -cpu host,host-phys-bits=on; libvirt: "
      "<maxphysaddr mode='passthrough'/>) and, with OVMF, at least this window for each such "
      "card: -fw_cfg name=opt/ovmf/X-PciMmio64Mb,string={}.",
      window / mib);
  return finding;
}

Finding small(const PciFunction& function, const model::ResizableBar& bar) {
  constexpr std::uint64_t mib = 1 << 20;
  const std::uint64_t most = bar.possible_mib.back();
  const std::string file = fmt::format("resource{}_resize", bar.index);
  const std::string name = model::to_string(function.address);
  Finding finding;
  finding.severity = Severity::note;
  finding.title = fmt::format("BAR {} of {} is {} and can be {}", bar.index, name,
                              text::size(bar.size_mib * mib), text::size(most * mib));
  finding.evidence = {seen_in(function, "config",
                              fmt::format("resizable BAR {}: {} now, at most {}", bar.index,
                                          text::size(bar.size_mib * mib), text::size(most * mib)))};
  finding.cause =
      "\"Resizable BAR\" is off in the firmware setup, or there was no room for the large size.";
  finding.consequence =
      "The processor sees the card's memory through a window, in a machine too: some games and "
      "Intel's Arc lose much by it, computing loses little. A machine sees the size that the host "
      "set and cannot change it.";
  finding.fix = fmt::format(
      "Switch on \"Above 4G Decoding\" and \"Resizable BAR\" in the firmware setup. Or, from "
      "Linux 6.1 on, while no driver has the card, write {} to {} (the size is 2 to that power, "
      "in MiB). Some machines do not start with a large BAR; write the old power then.",
      std::bit_width(most) - 1, files::pci_device(name, file));
  finding.command =
      fmt::format("echo {} | sudo tee {}", std::bit_width(most) - 1, files::pci_device(name, file));
  return finding;
}

/// For each function of the cards: `look` says what is wrong, one finding each.
template <typename Look>
Findings of_functions(const CheckScope& scope, Look look) {
  Findings findings;
  for (const Card* card : scope.cards) {
    for (const auto* function : functions_of(scope.host, *card)) {
      for (Finding& finding : look(*function)) {
        finding.card = card->address;
        findings.push_back(std::move(finding));
      }
    }
  }
  return findings;
}

}  // namespace

Findings bar_unassigned(const CheckScope& scope) {
  return of_functions(scope, [&](const PciFunction& function) -> Findings {
    const auto bars = part_of(unassigned(scope.host, function), false);
    if (bars.empty()) return {};
    return {without_address(function, bars)};
  });
}

Findings vf_bar_unassigned(const CheckScope& scope) {
  return of_functions(scope, [&](const PciFunction& function) -> Findings {
    auto bars = part_of(unassigned(scope.host, function), true);
    if (function.vf_total.value_or(1) == 0 || function.vf_enabled.value_or(0) > 0) return {};
    if (bars.empty()) return {};
    return {vfs_without_address(function, bars)};
  });
}

Findings bar_cant_reserve(const CheckScope& scope) {
  return of_functions(scope, [&](const PciFunction& function) -> Findings {
    Finding finding;
    finding.evidence = log_evidence_about(scope.host, function, {"can't reserve [mem"});
    if (finding.evidence.empty()) return {};
    finding.severity = Severity::warning;
    finding.title = fmt::format("A driver could not get the memory of {}, because somebody has it",
                                model::to_string(function.address));
    finding.cause =
        "Usually the boot framebuffer (BOOTFB, simpledrm, efifb) lies inside it; the lines below "
        "the card's addresses in the list of memory say who claims them.";
    finding.consequence =
        "If that is still so, a machine that gets the card starts without its memory, or not at "
        "all. The kernel log is history: what has been done since is not in it.";
    finding.fix =
        "Look who claims it. A boot framebuffer is taken away with tessera framebuffer detach "
        "(the finding boot-framebuffer names it).";
    finding.command =
        fmt::format("sudo grep -A3 {} {}", model::to_string(function.address), files::proc_iomem);
    return {finding};
  });
}

Findings rebar_small(const CheckScope& scope) {
  return of_functions(scope, [&](const PciFunction& function) {
    Findings findings;
    if (!function.capabilities.has_value()) return findings;
    for (const auto& bar : function.capabilities.value().resizable_bars) {
      const bool smaller = !bar.possible_mib.empty() && bar.size_mib < bar.possible_mib.back();
      if (smaller) findings.push_back(small(function, bar));
    }
    return findings;
  });
}

Findings big_bars(const CheckScope& scope) {
  // OvmfPkg, PcdPciMmio64Size: what OVMF leaves where it does not trust the processor's width.
  constexpr std::uint64_t window_of_ovmf = std::uint64_t{32} << 30;
  Findings findings;
  for (const Card* card : scope.cards) {
    std::vector<Evidence> evidence;
    const std::uint64_t sum = wide_memory(scope.host, *card, evidence);
    if (sum > window_of_ovmf) findings.push_back(big(*card, sum, std::move(evidence)));
  }
  return findings;
}

}  // namespace tessera::plan::checks
