// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kernel/root.h"

namespace tessera::kernel {

/// What a program did that came to its end.
struct ToolOutcome {
  int exit_code = 0;   ///< as a shell gives it: 128 plus the signal's number where one ended it
  std::string output;  ///< standard output and standard error as they came, at most 4 MiB
};

/// Whether the host has the program at `path`, and this root can run it.
bool can_run_tool(const Root& root, const std::string& path);

/// Runs a program of the host that its driver's vendor brings (files::sriov_manage,
/// files::nvidia_smi), without a shell. On the live root that is the program at `path`. On a
/// rehearsal host it is the one inside the root, which acts on that host: it finds the root in the
/// environment variable TESSERA_ROOT. On any other root nothing can be run.
///
/// `kept_fd` stays open in the program, borrowed: a lock that is on it is held until the program
/// ends, even if we end before.
///
/// An exit code other than 0 is no error here: only the caller knows what it means.
/// Errors: not_found when there is no such program, denied when it may not be run; unsupported on
/// other roots; timeout when it has not ended at `deadline`: it is killed then with all that it
/// started. One that waits in the kernel outlives that, and the error says so.
Result<ToolOutcome> run_tool(const Root& root, const std::string& path,
                             const std::vector<std::string>& arguments, Deadline deadline,
                             int kept_fd = -1);

}  // namespace tessera::kernel
