// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "app/printers/style.h"
#include "model/host.h"

namespace tessera::app {

/// Everything known about one card, for people.
std::string show_text(const model::HostSnapshot& host, const model::Card& card,
                      const ReportStyle& style);

/// The snapshot with only this card in it: its functions, the other members of its groups and the
/// bridges above them, its groups, framebuffers and holders. What `show --json` prints, so that a
/// reader of tessera/host/1 reads that too.
model::HostSnapshot only_card(const model::HostSnapshot& host, const model::Card& card);

}  // namespace tessera::app
