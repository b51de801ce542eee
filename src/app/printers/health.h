// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "app/printers/style.h"
#include "model/finding.h"
#include "model/slice_health.h"

namespace tessera::app {

inline constexpr std::string_view health_schema = "tessera/health/1";

/// A block for each card: memory, errors, bad memory, modes, how busy it is, its vGPUs as a table,
/// and why it gets no new slices, as the doctor prints findings. What no source tells, and
/// what the card has not now (N/A), has no words; what could not be read has.
std::string health_text(const model::HealthReport& report,
                        const std::vector<model::Finding>& cordons, const ReportStyle& style);

/// tessera/health/1.
nlohmann::ordered_json health_json(const model::HealthReport& report,
                                   const std::vector<model::Finding>& cordons);

}  // namespace tessera::app
