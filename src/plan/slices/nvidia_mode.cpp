// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/nvidia_mode.h"

#include <fmt/format.h>

#include "kernel/files.h"

namespace tessera::plan::slices {

using model::Expectation;
using model::Operation;
using model::SliceSource;
using model::Step;

namespace {

Expectation mode_is(const SliceSource& source, const NvidiaMode& mode, bool on) {
  return {Expectation::What::tool_says,
          fmt::format("{} -q -x -i {}", kernel::files::nvidia_smi, source.device),
          fmt::format("<{}>{}<", mode.element, on ? "Enabled" : "Disabled")};
}

Step set_mode(const SliceSource& source, const NvidiaMode& mode, bool on, std::string reason) {
  Step step = run_nvidia_smi(fmt::format(fmt::runtime(mode.switched), source.device, on ? 1 : 0),
                             std::move(reason));
  step.deadline_ms = mode.deadline_ms;
  step.only_if = {mode_is(source, mode, !on)};
  step.then = {mode_is(source, mode, on)};
  return step;
}

}  // namespace

Operation turn_on(const SliceSource& source, const NvidiaMode& mode, std::string reason,
                  std::string why, std::string why_back) {
  Operation op;
  op.kind = mode.kind;
  op.subject = source.device;
  op.reason = std::move(reason);
  op.before = {mode_is(source, mode, false)};
  op.forward = {set_mode(source, mode, true, std::move(why))};
  op.after = {mode_is(source, mode, true)};
  op.undo = {set_mode(source, mode, false, std::move(why_back))};
  op.after_undo = {mode_is(source, mode, false)};
  return op;
}

Step run_nvidia_smi(std::string arguments, std::string reason) {
  constexpr int tool_deadline_ms = 120'000;
  Step step;
  step.action = Step::Action::run_tool;
  step.path = kernel::files::nvidia_smi;
  step.text = std::move(arguments);
  step.reason = std::move(reason);
  step.deadline_ms = tool_deadline_ms;
  return step;
}

}  // namespace tessera::plan::slices
