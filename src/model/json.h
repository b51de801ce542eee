// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "model/finding.h"
#include "model/host.h"
#include "model/plan.h"

namespace tessera::model {

// Versioned JSON of the nouns. A schema name changes when a reader could break; adding a key does
// not. Absent values have no key; unreadable ones are {"unreadable": "EACCES"}.

inline constexpr std::string_view host_schema = "tessera/host/1";
inline constexpr std::string_view findings_schema = "tessera/findings/1";
inline constexpr std::string_view plan_schema = "tessera/plan/1";
inline constexpr std::string_view error_schema = "tessera/error/1";

nlohmann::ordered_json to_json(const HostSnapshot& host);
nlohmann::ordered_json to_json(const Card& card, const HostSnapshot& host);
nlohmann::ordered_json to_json(const std::vector<Finding>& findings);
nlohmann::ordered_json to_json(const Plan& plan);
nlohmann::ordered_json to_json(const Operation& operation);
nlohmann::ordered_json to_json(const Error& error);

/// Reads a plan or an operation back, as the journal stored it. Errors: invalid, naming the key.
Result<Plan> plan_from_json(std::string_view text);
Result<Operation> operation_from_json(std::string_view text);

}  // namespace tessera::model
