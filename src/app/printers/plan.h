// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "apply/executor.h"
#include "model/plan.h"

namespace tessera::app {

/// The plan as a person reads it: each operation with its reason, each write with its own, and what
/// undo would do. This is what --dry-run shows.
std::string plan_text(const model::Plan& plan);

/// Progress on stderr, a line an operation and a step, with times.
class ProgressPrinter : public apply::Progress {
 public:
  void operation_begins(const model::Operation& operation, apply::Direction direction) override;
  void step_done(const model::Step& step, Milliseconds took) override;
  void step_skipped(const model::Step& step) override;
};

}  // namespace tessera::app
