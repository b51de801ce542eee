// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

using model::Bar;
using model::Card;
using model::Finding;
using model::PciFunction;
using model::Severity;

namespace {

/// Where x86 firmware leaves its copy of the boot display's ROM (arch/x86/pci/fixup.c,
/// pci_fixup_video points the ROM there).
constexpr std::uint64_t shadow = 0xc0000;

Finding needed(const Card& card, const PciFunction& function, const Bar* rom) {
  Finding finding;
  finding.severity = Severity::note;
  finding.title = rom ? "The card's ROM as this host shows it is the firmware's copy"
                      : "The boot display has no ROM of its own";
  finding.evidence = {seen_in(function, "boot_vga", "1"),
                      seen_in(function, "resource",
                              rom ? fmt::format("line {}: at 0x{:x}, the copy in low memory",
                                                rom->index + 1, rom->first)
                                  : fmt::format("line {}: no ROM", model::rom_bar + 1))};
  finding.cause =
      card.integrated ? "It is part of the processor package; its ROM is part of the firmware."
      : rom != nullptr
          ? "The firmware started the card at boot; the copy is what was left after it ran."
          : "The board's firmware brings the card's ROM with it, as it does for chips "
            "soldered to the board.";
  finding.consequence =
      "A machine that is to show a picture on the card before its driver loads may stay dark, or "
      "not start. One that does not draw at boot needs no ROM.";
  finding.fix =
      card.integrated
          ? "Give the machine a ROM file that fits the processor (QEMU: romfile=), or rombar=0 "
            "where a driver does all."
          : "Read the ROM while another card is the boot display (echo 1 to the file rom, copy "
            "it, echo 0), or take the maker's file, and give it to the machine (QEMU: romfile=; "
            "libvirt: <rom file=.../>).";
  return finding;
}

bool is_vga(const model::HostSnapshot& host, const Card& card) {
  const PciFunction* function = host.function(card.address);
  return function && function->class_code.has_value() &&
         model::sub_class(function->class_code.value()) == 0x0300;
}

}  // namespace

Findings rom_needed(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    for (const auto* function : functions_of(scope.host, *card)) {
      if (!function->boot_vga.value_or(false) || !function->bars.has_value()) continue;
      const auto& bars = function->bars.value();
      const auto rom = std::ranges::find(bars, model::rom_bar, &Bar::index);
      if (rom != bars.end() && rom->first != shadow) continue;
      findings.push_back(needed(*card, *function, rom == bars.end() ? nullptr : &*rom));
      findings.back().card = card->address;
    }
  }
  return findings;
}

Findings vfio_vga(const CheckScope& scope) {
  const bool off = scope.host.kernel.option("CONFIG_VFIO_PCI_VGA") == "n";
  const bool matters =
      std::ranges::any_of(scope.cards, [&](const Card* card) { return is_vga(scope.host, *card); });
  if (!off || !matters) return {};
  Finding finding;
  finding.severity = Severity::note;
  finding.title = "This kernel gives no legacy VGA to machines";
  finding.evidence = {option_evidence(scope.host, "CONFIG_VFIO_PCI_VGA")};
  finding.cause = "It was built without that part of vfio-pci.";
  finding.consequence =
      "x-vga=on of QEMU fails, so a machine with SeaBIOS cannot draw on the card before its "
      "driver loads. One with OVMF (UEFI) needs none of it.";
  finding.fix = "Use OVMF for the machine, or a kernel with the option (Debian's has it).";
  return {finding};
}

}  // namespace tessera::plan::checks
