// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "base/text.h"
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

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

std::string resource_file(const PciFunction& function) {
  return files::pci_device(to_string(function.address), "resource");
}

std::string size_words(std::uint64_t bytes) {
  return bytes >= gib ? fmt::format("{} GiB", bytes / gib) : fmt::format("{} MiB", bytes / mib);
}

/// The kernel's words about one function's addresses, "0000:01:00.0: BAR 1: no space for [mem size
/// ...]" (drivers/pci/setup-res.c).
std::vector<Evidence> log_about(const HostSnapshot& host, const PciFunction& function,
                                std::string_view words) {
  std::vector<Evidence> found;
  const std::string name = to_string(function.address);
  for (const auto& line : host.kernel_log) {
    const bool fits = line.find(name) != std::string::npos && line.find(words) != std::string::npos;
    if (fits && found.size() < 3) found.push_back({"kernel log", text::printable(line)});
  }
  return found;
}

std::vector<Evidence> without_address(const HostSnapshot& host, const PciFunction& function) {
  std::vector<Evidence> found;
  for (const Bar& bar : function.bars.value_or({})) {
    const bool is_bar = bar.index < model::rom_bar && !bar.io;
    if (is_bar && bar.first == 0 && bar.last != 0) {
      found.push_back({resource_file(function),
                       fmt::format("BAR {} of {} bytes begins at 0", bar.index, bar.size())});
    }
  }
  append(found, log_about(host, function, "no space for"));
  return found;
}

}  // namespace

Findings bar_unassigned(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    Finding finding;
    for (const auto* function : functions_of(scope.host, *card)) {
      append(finding.evidence, without_address(scope.host, *function));
    }
    if (finding.evidence.empty()) continue;
    finding.severity = Severity::error;
    finding.card = card->address;
    finding.title = "There was no room in the address space for the card's memory";
    finding.cause =
        "The firmware left too small a window below the card's port: its option for addresses "
        "above 4 GiB is off, or does not reach far enough for this card.";
    finding.consequence = "The card's driver fails on it, in the host and in a machine.";
    finding.fix =
        "Switch on \"Above 4G Decoding\" in the firmware setup (and Resizable BAR off, if the "
        "card still does not fit), and reboot.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings bar_cannot_be_reserved(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    Finding finding;
    for (const auto* function : functions_of(scope.host, *card)) {
      append(finding.evidence, log_about(scope.host, *function, "can't reserve"));
    }
    if (finding.evidence.empty()) continue;
    finding.severity = Severity::warning;
    finding.card = card->address;
    finding.title = "Something else held the card's memory when VFIO wanted it";
    finding.cause =
        "Nearly always the boot framebuffer (efifb, simpledrm), whose memory lies in the card's; "
        "the line names the addresses, and /proc/iomem says who has them.";
    finding.consequence = "The machine that wanted the card did not start, or had no picture.";
    finding.fix = "Let tessera assign give the card away: it detaches the framebuffer first.";
    finding.command =
        fmt::format("sudo tessera assign {} --to vm --force", to_string(card->address));
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings resizable_bar_small(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (function == nullptr || !function->capabilities.has_value()) continue;
    for (const auto& bar : function->capabilities.value().resizable_bars) {
      if (bar.possible_mib.empty() || bar.size_mib >= bar.possible_mib.back()) continue;
      Finding finding;
      finding.severity = Severity::note;
      finding.card = card->address;
      finding.title =
          fmt::format("BAR {} shows {} of the card's memory and could show {}", bar.index,
                      size_words(bar.size_mib * mib), size_words(bar.possible_mib.back() * mib));
      finding.evidence = {
          {files::pci_device(to_string(function->address), "config"),
           fmt::format("resizable BAR {}: size {}, largest {}", bar.index,
                       size_words(bar.size_mib * mib), size_words(bar.possible_mib.back() * mib))}};
      finding.cause = "Resizable BAR is off in the firmware setup, or there was no room for more.";
      finding.consequence =
          "The processor reaches the card's memory through a window; some drivers are "
          "slower that way (Intel's Arc most of all). A machine gets the size that "
          "the host left.";
      finding.fix =
          "Switch on Resizable BAR and Above 4G Decoding in the firmware setup. If a machine hangs "
          "with a large BAR, choose a smaller one for this card alone by its resource file.";
      finding.command =
          fmt::format("cat {}", files::pci_device(to_string(function->address),
                                                  fmt::format("resource{}_resize", bar.index)));
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

Findings big_memory(const CheckScope& scope) {
  // OVMF without a hint leaves 32 GiB above 4 GiB, unless it finds the processor's own width.
  constexpr std::uint64_t usual_window = 32 * gib;
  Findings findings;
  for (const Card* card : scope.cards) {
    std::uint64_t total = 0;
    Finding finding;
    for (const auto* function : functions_of(scope.host, *card)) {
      for (const Bar& bar : function->bars.value_or({})) {
        if (!bar.wide || bar.index >= model::rom_bar) continue;
        total += bar.size();
        if (bar.size() < gib) continue;
        finding.evidence.push_back({resource_file(*function),
                                    fmt::format("BAR {}: {}", bar.index, size_words(bar.size()))});
      }
    }
    if (total <= usual_window) continue;
    const std::uint64_t window_mib = std::uint64_t{1}
                                     << static_cast<unsigned>(std::bit_width(2 * total / mib - 1));
    finding.severity = Severity::note;
    finding.card = card->address;
    finding.title = fmt::format(
        "The card shows {} of memory: a machine needs a wide address window", size_words(total));
    finding.cause = "It is a card with much memory, all of it shown at once.";
    finding.consequence =
        "A machine's firmware that leaves too small a window gives the card no addresses: "
        "its driver finds no memory. Older OVMF leaves 32 GiB.";
    finding.fix = fmt::format(
        "Give the machine the host's address width (-cpu host,host-phys-bits=on), or tell "
        "OVMF the window: -fw_cfg name=opt/ovmf/X-PciMmio64Mb,string={}.",
        window_mib);
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings rom_needed(const CheckScope& scope) {
  constexpr std::uint64_t shadow_first = 0xc0000;
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (function == nullptr || !function->boot_vga.value_or(false)) continue;
    const auto bars = function->bars.value_or({});
    const auto rom = std::ranges::find(bars, model::rom_bar, &Bar::index);
    if (rom == bars.end() || rom->first != shadow_first) continue;
    Finding finding;
    finding.severity = Severity::note;
    finding.card = card->address;
    finding.title = "The card's ROM is the firmware's copy in memory";
    finding.evidence = {{resource_file(*function), fmt::format("ROM at 0x{:x}", rom->first)}};
    finding.cause =
        "The firmware ran the ROM of the boot display from a copy, which may have changed.";
    finding.consequence =
        "A machine that gets this ROM may show no picture before its own driver runs.";
    finding.fix =
        "Give the machine a clean ROM file (read on a host that booted on another card, or the "
        "vendor's), with romfile= or <rom file=...>.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
