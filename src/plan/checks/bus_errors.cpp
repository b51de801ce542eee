// SPDX-License-Identifier: Apache-2.0
#include "plan/bus_errors.h"

#include "plan/checks/checks.h"

namespace tessera::plan::checks {

Findings bus_errors(const CheckScope& scope) {
  Findings findings;
  for (const model::Card* card : scope.cards) {
    for (auto& finding : bus_errors_of(scope.host, *card)) findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
