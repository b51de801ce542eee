// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Card;
using model::Finding;
using model::Holder;
using model::HostSnapshot;
using model::Severity;

namespace {

/// One process with all that it has open of a card.
struct Grip {
  const Holder* holder = nullptr;
  std::set<std::string> paths;
};

std::map<int, Grip> grips_on(const HostSnapshot& host, const Card& card) {
  std::map<int, Grip> grips;
  for (const Holder& holder : host.holders) {
    if (!card.has(holder.function)) continue;
    Grip& grip = grips[holder.pid];
    grip.holder = &holder;
    grip.paths.insert(holder.paths.begin(), holder.paths.end());
  }
  return grips;
}

bool is_machine(const HostSnapshot& host, const Holder& holder) {
  return runs_machine(host, holder.pid, holder.name);
}

/// "qemu-system-x86 (pid 812, machine desk1, unit ...) has /dev/vfio/15 open"
std::string describe(const HostSnapshot& host, const Grip& grip) {
  const model::RunningMachine* const runs = host.machine(grip.holder->pid);
  const bool named = runs != nullptr && !runs->name.empty();
  const std::string machine = named ? ", machine " + text::printable(runs->name) : "";
  std::string unit = grip.holder->unit.empty() ? "" : ", unit " + grip.holder->unit;
  std::vector<std::string> paths(grip.paths.begin(), grip.paths.end());
  return fmt::format("{} (pid {}{}{}) has {} open", text::printable(grip.holder->name),
                     grip.holder->pid, machine, unit, text::join(paths, ", "));
}

Finding held(const HostSnapshot& host, const Card& card, const std::map<int, Grip>& grips) {
  Finding finding;
  finding.severity = Severity::error;
  finding.card = card.address;
  const Holder& first = *grips.begin()->second.holder;
  const model::RunningMachine* const runs = host.machine(first.pid);
  const std::string user = runs != nullptr && !runs->name.empty()
                               ? machine_words(host, first.pid, first.name)
                               : fmt::format("{} (pid {})", text::printable(first.name), first.pid);
  finding.title = grips.size() == 1 ? fmt::format("{} uses the card", user)
                                    : fmt::format("{} processes use the card", grips.size());
  bool machine = false;
  for (const auto& [pid, grip] : grips) {
    finding.evidence.push_back({files::process(pid, "fd"), describe(host, grip)});
    machine = machine || is_machine(host, *grip.holder);
  }
  finding.cause = machine ? "A virtual machine runs with the card."
                          : "Programs keep the card's device files open: a display server, a sound "
                            "server, or a vendor's service such as nvidia-persistenced.";
  finding.consequence =
      "Taking the driver away would wait until the last of these files is "
      "closed, possibly for ever, or be refused (\"non-zero usage count\").";
  const std::string address = model::to_string(card.address);
  finding.fix = machine ? "Shut the virtual machine down."
                        : "Stop them, or let tessera stop them; units are started again by "
                          "tessera undo.";
  if (!machine) finding.command = fmt::format("tessera assign {} --to vm --stop-holders", address);
  return finding;
}

Finding not_all_seen(int unreadable) {
  Finding finding;
  finding.severity = Severity::note;
  finding.title = "Not every process that may use a card could be seen";
  finding.evidence = {
      {std::string(files::proc), fmt::format("the open files of {} process{} may not be read",
                                             unreadable, unreadable == 1 ? "" : "es")}};
  finding.cause = "Only root may see what files the processes of other users have open.";
  finding.consequence = "A card that looks free may be in use.";
  finding.fix = "Run the doctor as root.";
  finding.command = "sudo tessera doctor";
  return finding;
}

}  // namespace

Findings card_held(const CheckScope& scope) {
  Findings findings;
  if (scope.host.unreadable_processes > 0) {
    findings.push_back(not_all_seen(scope.host.unreadable_processes));
  }
  for (const Card* card : scope.cards) {
    auto grips = grips_on(scope.host, *card);
    if (!grips.empty()) findings.push_back(held(scope.host, *card, grips));
  }
  return findings;
}

}  // namespace tessera::plan::checks
