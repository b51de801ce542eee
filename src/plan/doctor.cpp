// SPDX-License-Identifier: Apache-2.0
#include "plan/doctor.h"

#include <algorithm>

#include <fmt/format.h>

#include "model/drivers.h"

namespace tessera::plan {

using model::Card;
using model::Finding;
using model::HostSnapshot;
using model::PciFunction;
using model::Severity;

namespace {

std::vector<const Card*> cards_in_question(const HostSnapshot& host, const Card* only_card) {
  if (only_card) return {only_card};
  std::vector<const Card*> cards;
  for (const Card& card : host.cards) cards.push_back(&card);
  return cards;
}

bool is_given(const HostSnapshot& host, const Card& card) {
  return std::ranges::all_of(card.functions, [&](const model::PciAddress& address) {
    const PciFunction* function = host.function(address);
    return function && model::is_vfio_driver(function->driver);
  });
}

bool blocks(const Finding& finding) {
  const auto& checks = all_checks();
  const auto check = std::ranges::find(checks, finding.id, &Check::id);
  return finding.severity == Severity::error && (check == checks.end() || check->blocks);
}

Verdict verdict_of(const HostSnapshot& host, const std::vector<Finding>& findings,
                   const Card& card) {
  Verdict verdict;
  verdict.card = &card;
  bool boot_display = false;
  for (const Finding& finding : findings) {
    bool concerns = !finding.card || *finding.card == card.address;
    if (!concerns) continue;
    if (blocks(finding)) verdict.because.push_back(finding.id);
    if (finding.severity != Severity::error && finding.id == "boot-framebuffer" && finding.card) {
      boot_display = true;
    }
  }
  const std::string address = model::to_string(card.address);
  if (is_given(host, card)) {
    verdict.outcome = Verdict::Outcome::given;
    verdict.command = fmt::format("tessera assign {} --to host", address);
  } else if (!verdict.because.empty()) {
    verdict.outcome = Verdict::Outcome::blocked;
  } else if (card.groups.empty()) {
    verdict.outcome = Verdict::Outcome::unknown;
  } else {
    verdict.outcome = Verdict::Outcome::ready;
    verdict.command =
        fmt::format("tessera assign {} --to vm{}", address, boot_display ? " --force" : "");
  }
  return verdict;
}

}  // namespace

Result<Purpose> parse_purpose(std::string_view text) {
  if (text == "passthrough") return Purpose::passthrough;
  if (text == "slices") return Purpose::slices;
  if (text == "display") return Purpose::display;
  return fail(ErrorKind::invalid, std::string(text), "this is no purpose of a card",
              "say passthrough, slices or display");
}

bool Purposes::has(Purpose purpose) const {
  switch (purpose) {
    case Purpose::passthrough:
      return passthrough;
    case Purpose::slices:
      return slices;
    case Purpose::display:
      return display;
  }
  return true;
}

std::vector<Finding> diagnose(const HostSnapshot& host, const Card* only_card,
                              std::optional<Purpose> purpose) {
  const CheckScope scope{host, cards_in_question(host, only_card)};
  std::vector<Finding> findings;
  for (const Check& check : all_checks()) {
    if (purpose ? !check.purposes.has(*purpose) : check.only_when_asked) continue;
    for (Finding& finding : check.look(scope)) {
      finding.id = check.id;
      findings.push_back(std::move(finding));
    }
  }
  std::ranges::stable_sort(findings, {}, &Finding::card);
  return findings;
}

std::string_view to_string(Verdict::Outcome outcome) {
  switch (outcome) {
    case Verdict::Outcome::ready:
      return "ready";
    case Verdict::Outcome::given:
      return "given";
    case Verdict::Outcome::blocked:
      return "blocked";
    case Verdict::Outcome::unknown:
      return "unknown";
  }
  return "unknown";
}

std::vector<Verdict> verdicts(const HostSnapshot& host, const std::vector<Finding>& findings,
                              const Card* only_card) {
  std::vector<Verdict> all;
  for (const Card* card : cards_in_question(host, only_card)) {
    all.push_back(verdict_of(host, findings, *card));
  }
  return all;
}

}  // namespace tessera::plan
