// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/finding.h"
#include "model/host.h"

namespace tessera::plan {

/// What a check looks at: the host, and those of its cards that were asked about.
struct CheckScope {
  const model::HostSnapshot& host;
  std::vector<const model::Card*> cards;
};

/// What a person wants of the cards; a check is left out where it does not matter.
enum class Purpose {
  passthrough,  ///< whole cards to machines
  slices,       ///< mdev, SR-IOV, vGPU
  display,      ///< this host's own screen, and a machine's
};
/// "passthrough", "slices", "display". Errors: invalid.
Result<Purpose> parse_purpose(std::string_view text);
struct Purposes {
  bool passthrough = true;
  bool slices = true;
  bool display = true;
  [[nodiscard]] bool has(Purpose purpose) const;
};

/// One thing that can stand in the way of giving a card away. A check says only what the snapshot
/// proves: a file that is absent from a recording proves nothing, one that could not be read
/// becomes a note that says so. docs/doctor.md has a section for each id.
struct Check {
  std::string_view id;  ///< kebab-case, stable; scripts and docs refer to it
  model::Severity severity = model::Severity::error;  ///< the gravest finding it can make
  std::string_view looks_at;                          ///< one line for --list-checks
  /// Returns one finding for each thing wrong, with everything set but the id.
  std::vector<model::Finding> (*look)(const CheckScope& scope) = nullptr;
  Purposes purposes = {};  ///< for which it matters; all, where nothing is said
  /// It tells only those who have one of its purposes something: left out where none was named.
  bool only_when_asked = false;
  /// Whether its errors keep a card from being given; others only speak against it.
  bool blocks = true;
};

/// Every check, host checks first, in the order in which findings are reported.
const std::vector<Check>& all_checks();

/// Runs all checks but those that want to be asked for, or those that matter for `purpose`.
/// `only_card` limits the checks of cards to one card (of `host`); the host is always looked at.
/// Findings of the host come first, then card by card.
std::vector<model::Finding> diagnose(const model::HostSnapshot& host,
                                     const model::Card* only_card = nullptr,
                                     std::optional<Purpose> purpose = {});

/// Whether a card can be given to a virtual machine now.
struct Verdict {
  enum class Outcome {
    ready,    ///< `command` gives it
    given,    ///< it is on VFIO drivers already; `command` takes it back
    blocked,  ///< by the errors in `because`
    unknown,  ///< the snapshot does not show its IOMMU groups
  };
  const model::Card* card = nullptr;
  Outcome outcome = Outcome::unknown;
  std::vector<std::string> because;  ///< ids of the errors of the host and of this card
  std::string command;               ///< empty unless ready or given
};
std::string_view to_string(Verdict::Outcome outcome);

/// One verdict for each card of diagnose()'s cards, from its findings.
std::vector<Verdict> verdicts(const model::HostSnapshot& host,
                              const std::vector<model::Finding>& findings,
                              const model::Card* only_card = nullptr);

}  // namespace tessera::plan
