// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "lab/child.h"

namespace tessera::lab {

/// What a finished tool left.
struct ToolOutput {
  int exit_code = 0;
  std::string out;
  std::string err;
};

/// Runs a tool to its end with an empty input; `heard` gets its lines on standard error as they
/// come (it may be empty). Errors: not_found when there is no such tool, timeout (it is killed).
Result<ToolOutput> run_tool(const Command& command, Deadline deadline,
                            const std::function<void(std::string_view)>& heard = {});

/// Whether a tool prints `wanted` before it ends or the deadline comes; kills it then.
bool tool_prints(const Command& command, std::string_view wanted, Deadline deadline);

}  // namespace tessera::lab
