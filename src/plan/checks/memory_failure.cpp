// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Evidence;
using model::Finding;
using model::HostSnapshot;
using model::Severity;

namespace {

constexpr std::string_view start = "Memory failure: ";
constexpr std::uint64_t page_kib = 4;

/// Who the kernel told of a page that failed.
struct Victim {
  std::string process;
  int pid = 0;
};

/// "0x3f: Sending SIGBUS to qemu-system-x86:812 due to hardware memory corruption", and older
/// kernels' "Killing" (mm/memory-failure.c). A process's name may have any character in it.
std::optional<Victim> victim_in(std::string_view line) {
  constexpr std::string_view verbs[] = {": Sending SIGBUS to ", ": Killing ",
                                        ": forcibly killing "};
  const auto end = std::min(line.find(" due to hardware memory corruption"),
                            line.find(" because of failure to unmap corrupted page"));
  if (end == std::string_view::npos) return std::nullopt;
  for (const auto verb : verbs) {
    const auto begin = line.find(verb);
    if (begin == std::string_view::npos || begin + verb.size() > end) continue;
    const auto who = line.substr(begin + verb.size(), end - begin - verb.size());
    const auto colon = who.rfind(':');
    const auto pid =
        colon == std::string_view::npos ? std::nullopt : text::to_number(who.substr(colon + 1));
    constexpr std::uint64_t most = std::uint64_t{1} << 22;  // PID_MAX_LIMIT
    if (!pid || *pid == 0 || *pid > most) continue;
    return Victim{std::string(who.substr(0, colon)), static_cast<int>(*pid)};
  }
  return std::nullopt;
}

/// The lines about one victim, or about pages that nobody had.
struct Failure {
  std::optional<Victim> victim;
  std::vector<Evidence> lines;
};

/// The frame that a line is about: "0x3f" of "... Memory failure: 0x3f: recovery action ...".
std::string_view frame_in(std::string_view line) {
  const auto begin = line.find(start);
  if (begin == std::string_view::npos) return {};
  const auto rest = line.substr(begin + start.size());
  return rest.starts_with("0x") ? rest.substr(0, rest.find(':')) : std::string_view();
}

/// By process; what the kernel did with a frame stands with the first that had it.
std::vector<Failure> failures_in(const std::vector<std::string>& log) {
  std::map<std::pair<int, std::string>, Failure> of;
  std::map<std::string, std::pair<int, std::string>, std::less<>> whose;
  for (const auto& line : log) {
    const auto frame = frame_in(line);
    auto victim = frame.empty() ? std::nullopt : victim_in(line);
    if (!victim) continue;
    const std::pair key(victim->pid, victim->process);
    whose.emplace(frame, key);
    of[key].victim = std::move(victim);
  }
  for (const auto& line : log) {
    const auto frame = frame_in(line);
    if (frame.empty()) continue;
    const auto victim = victim_in(line);
    const auto found = whose.find(frame);
    auto key = victim                 ? std::pair(victim->pid, victim->process)
               : found == whose.end() ? std::pair(0, std::string())
                                      : found->second;
    of[key].lines.push_back({"kernel log", text::printable(line)});
  }
  std::vector<Failure> failures;
  for (auto& [key, failure] : of) failures.push_back(std::move(failure));
  return failures;
}

std::vector<Evidence> most_of(std::vector<Evidence> lines) {
  constexpr std::size_t most = 8;
  if (lines.size() > most) lines.erase(lines.begin() + most, lines.end());
  return lines;
}

/// Which machines QEMU wrote of, what memory is lost in all, and which module the memory
/// controller's driver named.
void add_surroundings(const HostSnapshot& host, Finding& finding) {
  const auto kib = host.failed_memory_kib;
  if (kib.value_or(0) > 0) {
    finding.evidence.push_back(
        {std::string(files::proc_meminfo), fmt::format("HardwareCorrupted: {} kB", kib.value())});
  }
  for (const auto& error : host.machine_memory_errors) {
    finding.evidence.push_back({error.path, error.line});
  }
  for (auto& line : log_evidence(host, {"EDAC MC"}, host.kernel_log.size())) {
    if (line.text.find(" UE ") != std::string::npos) finding.evidence.push_back(std::move(line));
  }
}

constexpr std::string_view cause =
    "The memory controller reported a page whose bits it could not put right, and the kernel took "
    "the page out of use.";
constexpr std::string_view replace_it =
    "If it comes again, the memory module is going bad: EDAC's lines in the kernel log, or "
    "`ras-mc-ctl --errors`, say which one.";

/// A machine that ended has no name any more; its log may tell.
std::string machine_named(const HostSnapshot& host, const Victim& victim) {
  const bool runs = host.machine(victim.pid) != nullptr;
  if (runs || host.machine_memory_errors.empty()) {
    return machine_words(host, victim.pid, victim.process);
  }
  std::vector<std::string> names;
  for (const auto& error : host.machine_memory_errors) names.push_back(error.machine);
  return fmt::format("machine {} ({}, pid {})", text::printable(text::join(names, " or ")),
                     text::printable(victim.process), victim.pid);
}

Finding of_a_machine(const HostSnapshot& host, const Victim& victim) {
  const bool runs = host.machine(victim.pid) != nullptr;
  Finding finding;
  finding.title = fmt::format("Memory of {} failed", machine_named(host, victim));
  finding.evidence.push_back(
      {files::process(victim.pid, "fd"),
       runs ? fmt::format("has {} open: it still runs", files::kvm_machine)
            : std::string("is not there, or may not be seen: the machine has ended")});
  finding.consequence =
      "Only this machine is hit. Its guest is told: it ends the program that had the page, or "
      "stops altogether where the page was the guest kernel's own. QEMU itself ends if the page "
      "was its own. No other machine had the page, and nobody gets it again before the host boots.";
  finding.fix = fmt::format("{} {}",
                            runs ? "Look into the machine (its kernel log tells what it lost), and "
                                   "restart it if it does not answer."
                                 : "Start the machine anew.",
                            replace_it);
  return finding;
}

Finding of_a_process(const Victim& victim) {
  Finding finding;
  finding.title =
      fmt::format("Memory of {} (pid {}) failed", text::printable(victim.process), victim.pid);
  finding.consequence =
      "Only this process was told (SIGBUS), which ends it unless it is made for that. Machines "
      "that it serves are hit with it. Nobody gets the page again before the host boots.";
  finding.fix = fmt::format("Start it anew if it ended. {}", replace_it);
  return finding;
}

Finding of_nobody() {
  Finding finding;
  finding.title = "Memory of this host failed that no process had";
  finding.consequence =
      "No machine is hit. What the page held is read anew from disk, or was free.";
  finding.fix = std::string(replace_it);
  return finding;
}

Finding told_by_counter(std::uint64_t kib) {
  Finding finding;
  finding.title = fmt::format("{} page{} of this host's memory failed", kib / page_kib,
                              kib / page_kib == 1 ? "" : "s");
  finding.consequence =
      "Who had it was told at the time, and is not known any more: the kernel log does not reach "
      "back so far. Nobody gets the memory again before the host boots.";
  finding.fix = std::string(replace_it);
  return finding;
}

Finding finding_of(const HostSnapshot& host, Failure failure) {
  Finding finding = !failure.victim ? of_nobody()
                    : runs_machine(host, failure.victim->pid, failure.victim->process)
                        ? of_a_machine(host, *failure.victim)
                        : of_a_process(*failure.victim);
  auto lines = most_of(std::move(failure.lines));
  append(lines, std::move(finding.evidence));
  finding.evidence = std::move(lines);
  return finding;
}

}  // namespace

Findings memory_failure(const CheckScope& scope) {
  Findings findings;
  for (auto& failure : failures_in(scope.host.kernel_log)) {
    findings.push_back(finding_of(scope.host, std::move(failure)));
  }
  const auto kib = scope.host.failed_memory_kib.value_or(0);
  if (findings.empty() && kib > 0) findings.push_back(told_by_counter(kib));
  for (auto& finding : findings) {
    finding.severity = Severity::warning;
    finding.cause = std::string(cause);
    add_surroundings(scope.host, finding);
  }
  return findings;
}

}  // namespace tessera::plan::checks
