// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Evidence;
using model::Finding;
using model::Severity;

namespace {

/// How the kernel says that a reset did not bring a device back (drivers/pci/pci.c, pci_dev_wait
/// and pci_reset_function; drivers/vfio/pci/vfio_pci_core.c).
constexpr std::string_view failures[] = {"giving up", "timed out waiting for pending transaction",
                                         "Failed to reset", "reset failed"};

bool tells_of_failure(std::string_view line, std::string_view address) {
  return line.find(address) != std::string_view::npos &&
         std::ranges::any_of(
             failures, [&](auto words) { return line.find(words) != std::string_view::npos; });
}

std::vector<Evidence> failures_of(const model::HostSnapshot& host, const model::Card& card) {
  std::vector<Evidence> found;
  for (const auto& line : host.kernel_log) {
    for (const auto& function : card.functions) {
      if (tells_of_failure(line, to_string(function))) {
        found.push_back({"kernel log", text::printable(line)});
      }
    }
  }
  if (found.size() > 3) found.erase(found.begin(), found.end() - 3);
  return found;
}

}  // namespace

Findings reset_failed(const CheckScope& scope) {
  Findings findings;
  for (const auto* card : scope.cards) {
    Finding finding;
    finding.evidence = failures_of(scope.host, *card);
    if (finding.evidence.empty()) continue;
    const auto* main = scope.host.function(card->address);
    if (main != nullptr && main->reset_methods.has_value()) {
      finding.evidence.push_back({files::pci_device(to_string(card->address), "reset_method"),
                                  text::join(main->reset_methods.value(), " ")});
    }
    finding.severity = Severity::error;
    finding.card = card->address;
    finding.title = "The card did not come back from a reset";
    finding.cause = "It hangs in a state that this way of resetting does not end.";
    finding.consequence =
        "A machine that gets it now does not start, or finds a dead card; the host's driver may "
        "fail "
        "on it as well.";
    finding.fix =
        "Switch the host off, not only restart it, to cut the card's power. If it comes again, "
        "choose "
        "another way in reset_method, or give the card to one machine that is never restarted.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
