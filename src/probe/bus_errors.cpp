// SPDX-License-Identifier: Apache-2.0
#include "probe/bus_errors.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "kernel/files.h"
#include "probe/read.h"

namespace tessera::probe {

using model::BusErrors;
using model::PciFunction;
using model::Reading;
using Counts = Reading<std::vector<BusErrors>>;

namespace {

constexpr BusErrors::Kind kinds[] = {BusErrors::Kind::fatal, BusErrors::Kind::nonfatal,
                                     BusErrors::Kind::corrected};

/// All three files, or what one of them lacks.
Counts read_counts(const kernel::Root& root, const PciFunction& function) {
  std::vector<BusErrors> all;
  for (const auto kind : kinds) {
    const auto path =
        kernel::files::pci_device(to_string(function.address), model::counter_file(kind));
    const auto text = read_text(root, path);
    if (text.is_absent()) return {};
    if (text.is_unreadable()) return Counts::unreadable(text.why());
    std::ranges::move(parse_bus_errors(text.value(), kind), std::back_inserter(all));
  }
  return all;
}

}  // namespace

void read_bus_errors(const kernel::Root& root, model::HostSnapshot& host) {
  std::set<model::PciAddress> wanted;
  for (const auto& card : host.cards) {
    for (const PciFunction* function : functions_of(host, card)) {
      wanted.insert(function->address);
      if (function->parent) wanted.insert(*function->parent);
    }
  }
  for (auto& function : host.functions) {
    const bool slice = function.physical_function && wanted.contains(*function.physical_function);
    if (slice || wanted.contains(function.address)) {
      function.bus_errors = read_counts(root, function);
    }
  }
}

std::vector<BusErrors> parse_bus_errors(std::string_view text, BusErrors::Kind kind) {
  std::vector<BusErrors> counted;
  for (auto line : text::lines(text)) {
    line = text::trim(line);
    const auto blank = line.rfind(' ');
    if (blank == std::string_view::npos || line.starts_with("TOTAL_ERR_")) continue;
    const auto count = text::to_number(line.substr(blank + 1));
    if (!count || *count == 0) continue;
    counted.push_back({.kind = kind,
                       .name = text::printable(text::trim(line.substr(0, blank))),
                       .count = *count});
  }
  return counted;
}

}  // namespace tessera::probe
