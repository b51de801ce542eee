// SPDX-License-Identifier: Apache-2.0
#include "app/printers/doctor.h"

#include <algorithm>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/json.h"

namespace tessera::app {

using model::Finding;
using model::HostSnapshot;
using model::Severity;
using plan::Verdict;

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t label_indent = 11;

fmt::text_style look_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return fmt::fg(fmt::terminal_color::red) | fmt::emphasis::bold;
    case Severity::warning:
      return fmt::fg(fmt::terminal_color::yellow) | fmt::emphasis::bold;
    case Severity::note:
      break;
  }
  return fmt::fg(fmt::terminal_color::cyan);
}

std::string labelled(std::string_view label, std::string_view text, const ReportStyle& style) {
  if (text.empty()) return {};
  return fmt::format("    {:<7}{}\n", label, wrapped(text, label_indent, style.width));
}

std::string finding_text(const Finding& finding, const ReportStyle& style) {
  const std::string severity(model::to_string(finding.severity));
  std::string head = fmt::format("{}: {} [{}]", severity, finding.title, finding.id);
  head = wrapped(head, 2, style.width);
  std::string text = fmt::format("  {}{}\n", colored(severity, look_of(finding.severity), style),
                                 head.substr(severity.size()));
  for (const model::Evidence& seen : finding.evidence) {
    text += fmt::format("    {:<7}{}: {}\n", "seen", seen.path, seen.text);
  }
  text += labelled("why", finding.cause, style);
  text += labelled("so", finding.consequence, style);
  text += labelled("fix", finding.fix, style);
  if (!finding.command.empty()) text += fmt::format("    {:<7}{}\n", "run", finding.command);
  return text + "\n";
}

std::string verdict_words(const Verdict& verdict) {
  const std::string address = model::to_string(verdict.card->address);
  switch (verdict.outcome) {
    case Verdict::Outcome::ready:
      return fmt::format("{} can be given to a VM now: {}", address, verdict.command);
    case Verdict::Outcome::given:
      return fmt::format("{} is given to the VMs already; back to the host: {}", address,
                         verdict.command);
    case Verdict::Outcome::blocked:
      return fmt::format("{} cannot be given to a VM now: {}", address,
                         text::join(verdict.because, ", "));
    case Verdict::Outcome::unknown:
      break;
  }
  return fmt::format(
      "{}: whether it can be given to a VM is not known; its IOMMU group was not "
      "recorded",
      address);
}

fmt::text_style look_of(Verdict::Outcome outcome) {
  switch (outcome) {
    case Verdict::Outcome::blocked:
      return look_of(Severity::error);
    case Verdict::Outcome::unknown:
      return look_of(Severity::warning);
    case Verdict::Outcome::ready:
    case Verdict::Outcome::given:
      break;
  }
  return fmt::fg(fmt::terminal_color::green) | fmt::emphasis::bold;
}

std::string verdict_text(const Verdict& verdict, const ReportStyle& style) {
  // A line with a command is copied, so it stays one line.
  const std::string words = verdict_words(verdict);
  const std::string line = verdict.command.empty() ? wrapped(words, 2, style.width) : words;
  return fmt::format("  {}\n\n", colored(line, look_of(verdict.outcome), style));
}

/// Empty for a card that was not asked about, and for one that there is nothing to say of.
std::string card_text(const model::Card& card, const std::vector<Finding>& findings,
                      const std::vector<Verdict>& verdicts, const ReportStyle& style) {
  std::string text = findings_text(findings, card.address, style);
  for (const Verdict& verdict : verdicts) {
    if (verdict.card->address == card.address) text += verdict_text(verdict, style);
  }
  if (text.empty()) return {};
  const std::string address = model::to_string(card.address);
  return fmt::format("{}  {}\n{}", bold(address, style),
                     wrapped(card.name, address.size() + 2, style.width), text);
}

std::string host_title(const HostSnapshot& host) {
  std::string kernel = host.kernel.release.has_value()
                           ? fmt::format(", kernel {}", host.kernel.release.value())
                           : std::string();
  return fmt::format("host{}", kernel);
}

}  // namespace

std::string findings_text(const std::vector<Finding>& findings,
                          const std::optional<model::PciAddress>& card, const ReportStyle& style) {
  std::string text;
  for (const Finding& finding : findings) {
    if (finding.card == card) text += finding_text(finding, style);
  }
  return text;
}

std::string doctor_text(const HostSnapshot& host, const std::vector<Finding>& findings,
                        const std::vector<Verdict>& verdicts, const ReportStyle& style) {
  std::string text = bold(host_title(host), style) + "\n";
  std::string of_host = findings_text(findings, std::nullopt, style);
  text += of_host.empty() ? "  nothing to report\n\n" : of_host;
  for (const model::Card& card : host.cards) text += card_text(card, findings, verdicts, style);
  if (host.cards.empty()) text += "no cards: no PCI function of a display or accelerator class\n";
  if (text.ends_with("\n\n")) text.pop_back();
  return text;
}

nlohmann::ordered_json doctor_json(const std::vector<Finding>& findings,
                                   const std::vector<Verdict>& verdicts) {
  Json json = model::to_json(findings);
  json["verdicts"] = Json::array();
  for (const Verdict& verdict : verdicts) {
    Json one = {{"card", model::to_string(verdict.card->address)},
                {"identity", verdict.card->identity},
                {"outcome", plan::to_string(verdict.outcome)},
                {"because", verdict.because}};
    if (!verdict.command.empty()) one["command"] = verdict.command;
    json["verdicts"].push_back(std::move(one));
  }
  return json;
}

std::string checks_text(const ReportStyle& style) {
  std::size_t widest = 0;
  for (const plan::Check& check : plan::all_checks()) widest = std::max(widest, check.id.size());
  std::string text = fmt::format("{:<{}} {:<8} {}\n", "ID", widest, "SEVERITY", "LOOKS AT");
  for (const plan::Check& check : plan::all_checks()) {
    text += fmt::format("{:<{}} {:<8} {}\n", check.id, widest, model::to_string(check.severity),
                        wrapped(check.looks_at, widest + 10, style.width));
  }
  return text;
}

Json purposes_json(const plan::Purposes& purposes) {
  Json list = Json::array();
  if (purposes.passthrough) list.push_back("passthrough");
  if (purposes.slices) list.push_back("slices");
  if (purposes.display) list.push_back("display");
  return list;
}

nlohmann::ordered_json checks_json() {
  Json json = {{"schema", "tessera/checks/1"}, {"checks", Json::array()}};
  for (const plan::Check& check : plan::all_checks()) {
    json["checks"].push_back({{"id", check.id},
                              {"severity", model::to_string(check.severity)},
                              {"looks_at", check.looks_at},
                              {"for", purposes_json(check.purposes)}});
  }
  return json;
}

}  // namespace tessera::app
