// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "model/finding.h"
#include "model/host.h"
#include "plan/doctor.h"

namespace tessera::app {

/// How a report is laid out; the same style gives the same text.
struct ReportStyle {
  std::size_t width = 80;  ///< columns; evidence and commands, which are copied, are not wrapped
  enum class Color { none, ansi } color = Color::none;
};

/// What stdout takes: the terminal's width and colors (unless NO_COLOR is set), or 80 columns
/// and none when it is no terminal.
ReportStyle stdout_style();

/// The doctor's report: the host, then each card, each finding with severity, title, evidence,
/// cause, consequence and fix; each card closes with its verdict.
std::string doctor_text(const model::HostSnapshot& host,
                        const std::vector<model::Finding>& findings,
                        const std::vector<plan::Verdict>& verdicts, const ReportStyle& style);

/// tessera/findings/1 with the key "verdicts" added.
nlohmann::ordered_json doctor_json(const std::vector<model::Finding>& findings,
                                   const std::vector<plan::Verdict>& verdicts);

/// All checks as a table, and as tessera/checks/1.
std::string checks_text(const ReportStyle& style);
nlohmann::ordered_json checks_json();

/// `text` in lines of at most `width` columns (longer words stand alone), each but the first
/// indented by `indent` blanks; the first is taken to start in column `indent`.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace tessera::app
