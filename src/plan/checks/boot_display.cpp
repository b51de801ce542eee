// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::BootFramebuffer;
using model::Card;
using model::Evidence;
using model::Finding;
using model::Severity;

namespace {

bool lies_on(const BootFramebuffer& framebuffer, const Card& card) {
  return framebuffer.function && card.has(*framebuffer.function);
}

std::vector<Evidence> evidence_of(const BootFramebuffer& framebuffer) {
  std::vector<Evidence> evidence;
  if (framebuffer.last != 0) {
    evidence.push_back({std::string(files::proc_iomem),
                        fmt::format("{:x}-{:x} : {}", framebuffer.first, framebuffer.last,
                                    text::printable(framebuffer.label))});
  }
  if (!framebuffer.device.empty()) {
    evidence.push_back(
        {files::platform_device(framebuffer.device, "driver"),
         framebuffer.driver.empty() ? std::string(is_not_there) : "-> " + framebuffer.driver});
  }
  return evidence;
}

/// A framebuffer that nothing draws on any more: its driver was taken off, but its platform device
/// still claims the memory.
bool is_detached(const BootFramebuffer& framebuffer) {
  return !framebuffer.device.empty() && framebuffer.driver.empty();
}

Finding on_the_card(const Card& card, const BootFramebuffer& framebuffer) {
  Finding finding;
  finding.card = card.address;
  finding.evidence = evidence_of(framebuffer);
  finding.cause =
      "The firmware drew its picture into the card's memory, and the kernel went on "
      "using that as its console.";
  if (is_detached(framebuffer)) {
    finding.severity = Severity::warning;
    finding.title = "The boot framebuffer is detached, but its memory is still claimed";
    finding.consequence =
        "From Linux 6.0 on, vfio-pci drops the claim itself when it takes a VGA "
        "controller; for other display classes a machine's start may fail with "
        "\"BAR 0: can't reserve\".";
    finding.fix =
        "Nothing, for a VGA controller. Otherwise let the card's own driver take it "
        "once (it drops the claim), or boot on another display.";
    return finding;
  }
  finding.severity = Severity::error;
  finding.title = "The kernel's boot console draws on the card";
  finding.consequence =
      "The memory is claimed, so a machine cannot get it: \"BAR 0: can't "
      "reserve\". The host's console goes dark when the card is given away.";
  finding.fix =
      "Make sure that you can log in another way (ssh, serial console), then detach the "
      "framebuffer. video=efifb:off does not help where simpledrm draws: it ignores "
      "that parameter. Or choose another card as the first display in the firmware "
      "setup.";
  finding.command =
      framebuffer.device.empty()
          ? fmt::format("tessera assign {} --to vm --force", model::to_string(card.address))
          : fmt::format("tessera framebuffer detach {}", framebuffer.device);
  return finding;
}

/// Some display has to be the first. Where there is another card to give away that is no fault; it
/// matters to who asks for this card, or has no other.
Finding boots_on(const Card& card, const model::PciFunction& function, bool another_card) {
  const std::string address = model::to_string(card.address);
  Finding finding;
  finding.severity = another_card ? Severity::note : Severity::warning;
  finding.card = card.address;
  finding.title = "The host booted on this card's display";
  finding.evidence = {{files::pci_device(model::to_string(function.address), "boot_vga"), "1"}};
  finding.cause = "The firmware chose it as the first display.";
  finding.consequence =
      "The host's screen goes dark when the card is given away. The card's ROM "
      "as read on this host may be the firmware's changed copy, which some "
      "machines cannot start from.";
  finding.fix =
      "Make sure that you can log in another way (ssh, serial console) and give it away "
      "with --force, or choose another card as the first display in the firmware setup.";
  finding.command = fmt::format("tessera assign {} --to vm --force", address);
  return finding;
}

/// Without root, iomem shows zeros: there is a framebuffer, and nothing says where.
Finding somewhere(const BootFramebuffer& framebuffer) {
  Finding finding;
  finding.severity = Severity::note;
  finding.title = "Which card the boot framebuffer draws on is not known";
  finding.evidence = evidence_of(framebuffer);
  finding.evidence.push_back({std::string(files::proc_iomem), "shows no place for it"});
  finding.cause = "Only root sees the addresses there.";
  finding.consequence = "A card that looks free may be the one that the console draws on.";
  finding.fix = "Run the doctor as root.";
  finding.command = "sudo tessera doctor";
  return finding;
}

}  // namespace

Findings boot_framebuffer(const CheckScope& scope) {
  Findings findings;
  for (const BootFramebuffer& framebuffer : scope.host.framebuffers) {
    bool unknown_place = !framebuffer.function && framebuffer.last == 0;
    if (unknown_place && !framebuffer.driver.empty()) findings.push_back(somewhere(framebuffer));
  }
  for (const Card* card : scope.cards) {
    bool found = false;
    for (const BootFramebuffer& framebuffer : scope.host.framebuffers) {
      if (!lies_on(framebuffer, *card)) continue;
      findings.push_back(on_the_card(*card, framebuffer));
      found = true;
    }
    if (found) continue;
    for (const auto* function : functions_of(scope.host, *card)) {
      if (function->boot_vga.value_or(false)) {
        findings.push_back(boots_on(*card, *function, scope.cards.size() > 1));
      }
    }
  }
  return findings;
}

}  // namespace tessera::plan::checks
