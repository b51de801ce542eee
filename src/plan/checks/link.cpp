// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "kernel/files.h"
#include "model/drivers.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

using model::Finding;
using model::HostSnapshot;
using model::PciFunction;
using model::Severity;

namespace {

/// A PCI Express link: the function below it and the port above it.
struct Link {
  const PciFunction* lower = nullptr;
  const PciFunction* upper = nullptr;
};

bool is_bridge(const PciFunction& function) {
  return function.class_code.has_value() && model::is_bridge_class(function.class_code.value());
}

/// Inside a switch, its upstream port is the parent of its downstream ports, and no link is between
/// them: their link files speak of what is outside.
bool is_link(const Link& link) {
  using enum model::ExpressType;
  const auto& below = link.lower->capabilities;
  const auto& above = link.upper->capabilities;
  if (is_bridge(*link.lower) && (!below.has_value() || below.value().type != upstream_port)) {
    return false;
  }
  if (!above.has_value() || above.value().silent) return !is_bridge(*link.lower);
  return above.value().type == root_port || above.value().type == downstream_port;
}

/// The links between the card and the root complex, nearest first.
std::vector<Link> links_above(const HostSnapshot& host, const model::Card& card) {
  constexpr std::size_t deepest = 256;
  std::vector<Link> links;
  const PciFunction* lower = host.function(card.address);
  for (std::size_t depth = 0; lower && lower->parent && depth < deepest; ++depth) {
    const PciFunction* upper = host.function(*lower->parent);
    if (!upper) break;
    if (is_link({lower, upper})) links.push_back({lower, upper});
    lower = upper;
  }
  return links;
}

/// The most that both ends can; nothing when one of them is not known.
template <typename T>
std::optional<T> both_can(const model::Reading<T>& lower, const model::Reading<T>& upper) {
  if (!lower.has_value() || !upper.has_value()) return std::nullopt;
  return std::min(lower.value(), upper.value());
}

Finding narrow(const Link& link, int best) {
  const int now = link.lower->link.width.value();
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = fmt::format("The link from {} to {} has {} of {} lanes",
                              model::to_string(link.lower->address),
                              model::to_string(link.upper->address), now, best);
  finding.evidence = {
      seen_in(*link.lower, "current_link_width", std::to_string(now)),
      seen_in(*link.lower, "max_link_width", std::to_string(link.lower->link.max_width.value())),
      seen_in(*link.upper, "max_link_width", std::to_string(link.upper->link.max_width.value()))};
  finding.cause =
      "Both ends can more, so something between them cannot: a card that is not quite in its "
      "slot, dirt on its contacts, a riser, or a slot that is wired with fewer lanes than its "
      "port has.";
  finding.consequence = fmt::format(
      "What passes between the host's memory and the card is at most {} of {} as fast, in a "
      "machine too. Nothing else is wrong with it.",
      now, best);
  finding.fix =
      "Switch the host off, seat the card again or try another slot, and look in the board's "
      "manual at how many lanes the slot has. If that is what it has, nothing is wrong.";
  return finding;
}

/// A driver that knows the card lowers the link's speed while nothing is drawn; without one, or on
/// VFIO, nobody does. A card that sleeps has no speed worth a word.
bool may_be_at_rest(const PciFunction& function) {
  const bool host_driver = !function.driver.empty() && !model::is_vfio_driver(function.driver);
  return host_driver || function.power_state.value_or("D0") != "D0";
}

Finding slow(const Link& link, double best) {
  const double now = link.lower->link.speed_gt.value();
  Finding finding;
  finding.severity = Severity::note;
  finding.title = fmt::format("The link from {} to {} runs at {} GT/s of {}",
                              model::to_string(link.lower->address),
                              model::to_string(link.upper->address), now, best);
  finding.evidence = {seen_in(*link.lower, "current_link_speed", fmt::format("{} GT/s", now)),
                      seen_in(*link.lower, "max_link_speed",
                              fmt::format("{} GT/s", link.lower->link.max_speed_gt.value())),
                      seen_in(*link.upper, "max_link_speed",
                              fmt::format("{} GT/s", link.upper->link.max_speed_gt.value()))};
  finding.cause =
      "The driver that had the card before may have lowered it to save power; or the firmware "
      "setup fixes the slot's generation, or the link trained badly (riser, long trace).";
  finding.consequence =
      "If it stays so while a machine works with the card, what passes over the link is slower.";
  finding.fix =
      "Look again while a machine keeps the card busy. If it is still slow then, set the slot's "
      "generation in the firmware setup, or leave out the riser.";
  finding.command = "cat " + kernel::files::pci_device(model::to_string(link.lower->address),
                                                       "current_link_speed");
  return finding;
}

}  // namespace

Findings link_narrow(const CheckScope& scope) {
  Findings findings;
  for (const auto* card : scope.cards) {
    for (const Link& link : links_above(scope.host, *card)) {
      const auto best = both_can(link.lower->link.max_width, link.upper->link.max_width);
      const int now = link.lower->link.width.value_or(0);  // 0: no link, as virtual functions say
      if (!best || now <= 0 || now >= *best) continue;
      findings.push_back(narrow(link, *best));
      findings.back().card = card->address;
    }
  }
  return findings;
}

Findings link_slow(const CheckScope& scope) {
  Findings findings;
  for (const auto* card : scope.cards) {
    for (const Link& link : links_above(scope.host, *card)) {
      const auto best = both_can(link.lower->link.max_speed_gt, link.upper->link.max_speed_gt);
      const double now = link.lower->link.speed_gt.value_or(0);
      if (!best || now <= 0 || now >= *best || may_be_at_rest(*scope.host.function(card->address)))
        continue;
      findings.push_back(slow(link, *best));
      findings.back().card = card->address;
    }
  }
  return findings;
}

}  // namespace tessera::plan::checks
