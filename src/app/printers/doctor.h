// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "app/printers/style.h"
#include "model/finding.h"
#include "model/host.h"
#include "plan/doctor.h"

namespace tessera::app {

/// The doctor's report: the host, then each card, each finding with severity, title, evidence,
/// cause, consequence and fix; each card closes with its verdict, where there is one.
std::string doctor_text(const model::HostSnapshot& host,
                        const std::vector<model::Finding>& findings,
                        const std::vector<plan::Verdict>& verdicts, const ReportStyle& style);

/// The findings about this card, or about the host, as they stand in the doctor's report.
std::string findings_text(const std::vector<model::Finding>& findings,
                          const std::optional<model::PciAddress>& card, const ReportStyle& style);

/// tessera/findings/1 with the key "verdicts" added.
nlohmann::ordered_json doctor_json(const std::vector<model::Finding>& findings,
                                   const std::vector<plan::Verdict>& verdicts);

/// All checks as a table, and as tessera/checks/1.
std::string checks_text(const ReportStyle& style);
nlohmann::ordered_json checks_json();

}  // namespace tessera::app
