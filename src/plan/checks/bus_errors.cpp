// SPDX-License-Identifier: Apache-2.0
#include "plan/checks/bus_errors.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "model/drivers.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan {

namespace files = kernel::files;
using model::BusErrors;
using model::Card;
using model::Finding;
using model::HostSnapshot;
using model::PciFunction;
using model::Severity;
using Kind = BusErrors::Kind;

namespace {

/// A link that repairs itself less often is as links are.
constexpr std::uint64_t many_repairs = 100;

struct Meaning {
  std::string_view name;      ///< the kernel's (drivers/pci/pcie/aer.c)
  std::string_view old_name;  ///< before Linux 5.3
  std::string_view words;
};
constexpr Meaning meanings[] = {
    {"DLP", "Data Link Protocol", "the two ends of the link disagree on its state"},
    {"SDES", "Surprise Down Error", "the link went down though nobody asked for it"},
    {"TLP", "Poisoned TLP", "a packet came whose sender had marked its data as wrong"},
    {"FCP", "Flow Control Protocol", "the two ends of the link disagree on its free room"},
    {"CmpltTO", "Completion Timeout", "a request was never answered"},
    {"CmpltAbrt", "Completer Abort", "the device that was asked refused a request"},
    {"UnxCmplt", "Unexpected Completion", "an answer came to no request"},
    {"RxOF", "Receiver Overflow", "more came than the receiver has room for"},
    {"MalfTLP", "Malformed TLP", "a packet came that has no valid form"},
    {"ECRC", "ECRC", "a packet's checksum was wrong from end to end"},
    {"UncorrIntErr", "Uncorrectable Internal Error", "an error inside the device itself"},
    {"UnsupReq", "Unsupported Request", "the device was asked for what it does not do"},
    {"ACSViol", "ACS Violation", "a request between neighbours, which isolation forbids"},
};

std::string_view meaning_of(std::string_view name) {
  const auto* const found = std::ranges::find_if(
      meanings, [&](const Meaning& one) { return one.name == name || one.old_name == name; });
  return found == std::end(meanings) ? std::string_view() : found->words;
}

/// Software asks for it by mistake, and nothing is lost.
bool is_harmless(const BusErrors& errors) {
  constexpr std::string_view names[] = {"UnsupReq", "Unsupported Request", "ACSViol",
                                        "ACS Violation"};
  return errors.kind == Kind::nonfatal && std::ranges::find(names, errors.name) != std::end(names);
}
bool is_repair(const BusErrors& errors) {
  return errors.kind == Kind::corrected;
}
bool is_loss(const BusErrors& errors) {
  return !is_repair(errors) && !is_harmless(errors);
}

/// The errors of one sort, of a card, its virtual functions and the port that it stands at.
struct Counted {
  struct One {
    const PciFunction* function;
    BusErrors errors;
  };
  std::vector<One> all;

  [[nodiscard]] std::uint64_t count() const {
    std::uint64_t sum = 0;
    for (const auto& one : all) sum += one.errors.count;
    return sum;
  }
  /// "CmpltTO, ECRC"
  [[nodiscard]] std::string names() const {
    std::vector<std::string> names;
    for (const auto& one : all) {
      if (std::ranges::count(names, one.errors.name) == 0) names.push_back(one.errors.name);
    }
    return text::join(names, ", ");
  }
  /// "CmpltTO: a request was never answered."
  [[nodiscard]] std::string explanation() const {
    std::map<std::string, std::string_view> words;
    for (const auto& one : all) words.emplace(one.errors.name, meaning_of(one.errors.name));
    std::erase_if(words, [](const auto& entry) { return entry.second.empty(); });
    std::vector<std::string> sentences;
    for (const auto& [name, meaning] : words) {
      sentences.push_back(fmt::format("{} means that {}.", name, meaning));
    }
    return text::join(sentences, " ");
  }
};

std::vector<const PciFunction*> reporters(const HostSnapshot& host, const Card& card) {
  auto functions = checks::slice_parents(host, card);
  const PciFunction* const main = host.function(card.address);
  const auto* const port = main != nullptr && main->parent ? host.function(*main->parent) : nullptr;
  if (port != nullptr) functions.push_back(port);
  return functions;
}

Counted counted(const HostSnapshot& host, const Card& card,
                const std::function<bool(const BusErrors&)>& wanted) {
  Counted result;
  for (const PciFunction* function : reporters(host, card)) {
    for (const auto& errors : function->bus_errors.value_or({})) {
      if (wanted(errors)) result.all.push_back({function, errors});
    }
  }
  return result;
}

std::vector<model::Evidence> evidence_of(const HostSnapshot& host, const Counted& counted) {
  std::vector<model::Evidence> evidence;
  std::vector<const PciFunction*> functions;
  for (const auto& [function, errors] : counted.all) {
    evidence.push_back(checks::seen_in(*function, model::counter_file(errors.kind),
                                       fmt::format("{} {}", errors.name, errors.count)));
    if (std::ranges::count(functions, function) == 0) functions.push_back(function);
  }
  for (const PciFunction* function : functions) {
    auto lines = checks::log_evidence_about(
        host, *function, {"PCIe Bus Error", "error status/mask", "(First)", "AER:"});
    constexpr std::size_t most = 6;
    if (lines.size() > most) lines.erase(lines.begin(), lines.end() - most);
    checks::append(evidence, std::move(lines));
  }
  return evidence;
}

/// Machines that have the card itself, or a slice of it where that was looked for.
struct Machines {
  std::vector<std::string> names;
  std::vector<model::Evidence> evidence;

  void add(const HostSnapshot& host, int pid, const std::string& process, const std::string& what) {
    if (!checks::runs_machine(host, pid, process)) return;
    auto name = checks::machine_words(host, pid, process);
    evidence.push_back({files::process(pid, "fd"), fmt::format("{} has {} open", name, what)});
    if (std::ranges::count(names, name) == 0) names.push_back(std::move(name));
  }
};

Machines machines_on(const HostSnapshot& host, const Card& card) {
  Machines machines;
  for (const auto& holder : host.holders) {
    if (!card.has(holder.function)) continue;
    machines.add(host, holder.pid, holder.name, text::join(holder.paths, ", "));
  }
  for (const auto& source : host.slice_sources) {
    if (source.card != card.address) continue;
    for (const auto& slice : source.slices) {
      for (const auto& user : slice.users) {
        machines.add(host, user.pid, user.name, "slice " + slice.identity);
      }
    }
  }
  return machines;
}

Finding begin(const HostSnapshot& host, const Card& card, const Counted& errors,
              Severity severity) {
  Finding finding;
  finding.id = std::string(bus_errors_id);
  finding.severity = severity;
  finding.card = card.address;
  finding.evidence = evidence_of(host, errors);
  return finding;
}

/// Takes what reported errors out of the kernel's list and has it found again: a port with all that
/// is behind it, else the functions.
std::string start_anew(const Card& card, const Counted& errors) {
  std::vector<std::string> removed;
  for (const auto& one : errors.all) {
    const bool port = !card.has(one.function->address) && !one.function->physical_function;
    auto name = to_string(one.function->address);
    if (port) removed.clear();
    if (std::ranges::count(removed, name) == 0) removed.push_back(std::move(name));
    if (port) break;
  }
  std::string command;
  for (const auto& name : removed) {
    command += fmt::format("echo 1 | sudo tee {}; ", files::pci_device(name, "remove"));
  }
  return command + fmt::format("echo 1 | sudo tee {}", files::pci_rescan);
}

Finding losses(const HostSnapshot& host, const Card& card, const Counted& errors) {
  auto finding = begin(host, card, errors, Severity::error);
  const bool one = errors.count() == 1;
  finding.title = fmt::format("The card's link lost data: {} error{} that cannot be corrected ({})",
                              errors.count(), one ? "" : "s", errors.names());
  const auto machines = machines_on(host, card);
  checks::append(finding.evidence, machines.evidence);
  finding.cause = text::trim(
      fmt::format("{} Behind it are the card, its seat, a riser or power; rarely a driver that "
                  "reset the card while it worked.",
                  errors.explanation()));
  const auto names = text::join(machines.names, ", ");
  const PciFunction* const main = host.function(card.address);
  const bool given = main != nullptr && model::is_vfio_driver(main->driver);
  finding.consequence =
      names.empty()
          ? "A machine that has the card when this happens is stopped by QEMU where it stands "
            "(state internal-error), and does not go on by itself."
          : fmt::format(
                "VFIO told {} of it; QEMU stops a machine there and then (state "
                "internal-error), and it does not go on by itself. Other machines are not "
                "hit.",
                names);
  const std::string again = start_anew(card, errors);
  const std::string back = given ? fmt::format("Give the card back (tessera assign {} --to host). ",
                                               to_string(card.address))
                                 : "";
  finding.fix = fmt::format(
      "{}{}`tessera slice` cuts nothing from the card until its counters start anew: while nobody "
      "uses it, have the kernel forget it and find it again{}. If errors come again, try another "
      "slot or riser, then another card.",
      names.empty() ? "" : fmt::format("End {}, and start it anew with another card. ", names),
      back, names.empty() && !given ? "" : fmt::format(" ({})", again));
  if (names.empty() && !given) finding.command = again;
  return finding;
}

Finding harmless(const HostSnapshot& host, const Card& card, const Counted& errors) {
  auto finding = begin(host, card, errors, Severity::warning);
  finding.title = fmt::format("Requests on the card's link were refused: {} ({})", errors.count(),
                              errors.names());
  finding.cause = fmt::format("{} It is software that asked.", errors.explanation());
  finding.consequence = "Nothing was lost by it, but what asked did not get an answer.";
  finding.fix =
      "Look at the kernel log around the time of it: what was started or probed then? A driver "
      "that does it once as it starts is no trouble.";
  return finding;
}

Finding repairs(const HostSnapshot& host, const Card& card, const Counted& errors) {
  auto finding = begin(host, card, errors, Severity::warning);
  finding.title =
      fmt::format("The card's link repaired itself {} times ({})", errors.count(), errors.names());
  finding.cause =
      "Bits are lost on the way: a riser or cable, a seat, a slot, or too high a speed.";
  finding.consequence =
      "Packets are sent again, which costs speed; a link that gets worse loses data, and the "
      "machine with it.";
  finding.fix =
      "Seat the card anew, try another slot or riser, or set the slot to the next lower speed in "
      "the firmware setup.";
  return finding;
}

}  // namespace

std::vector<Finding> bus_errors_of(const HostSnapshot& host, const Card& card) {
  std::vector<Finding> findings;
  if (const auto lost = counted(host, card, is_loss); lost.count() > 0) {
    findings.push_back(losses(host, card, lost));
  }
  if (const auto refused = counted(host, card, is_harmless); refused.count() > 0) {
    findings.push_back(harmless(host, card, refused));
  }
  if (const auto repaired = counted(host, card, is_repair); repaired.count() >= many_repairs) {
    findings.push_back(repairs(host, card, repaired));
  }
  return findings;
}

std::string shown_by(const Finding& cordon) {
  return fmt::format("tessera {} {}", cordon.id == bus_errors_id ? "doctor" : "health",
                     cordon.card ? to_string(*cordon.card) : "");
}

std::vector<Finding> bus_error_cordons(const HostSnapshot& host) {
  std::vector<Finding> cordons;
  for (const Card& card : host.cards) {
    for (auto& finding : bus_errors_of(host, card)) {
      if (finding.severity == Severity::error) cordons.push_back(std::move(finding));
    }
  }
  return cordons;
}

namespace checks {

Findings bus_errors(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    std::ranges::move(bus_errors_of(scope.host, *card), std::back_inserter(findings));
  }
  return findings;
}

}  // namespace checks

}  // namespace tessera::plan
