// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/mixed_sizes.h"

#include <string>

#include <fmt/format.h>

#include "kernel/files.h"

namespace tessera::plan::slices {

using model::Expectation;
using model::Operation;
using model::SliceSource;
using model::Step;

namespace {

Expectation mode_is(const SliceSource& source, bool on) {
  return {Expectation::What::tool_says,
          fmt::format("{} -q -x -i {}", kernel::files::nvidia_smi, source.device),
          fmt::format("<vgpu_heterogeneous_mode>{}<", on ? "Enabled" : "Disabled")};
}

Step set_mode(const SliceSource& source, bool on, std::string reason) {
  constexpr int tool_deadline_ms = 60'000;
  Step step;
  step.action = Step::Action::run_tool;
  step.path = kernel::files::nvidia_smi;
  step.text = fmt::format("vgpu -i {} -shm {}", source.device, on ? 1 : 0);
  step.reason = std::move(reason);
  step.only_if = {mode_is(source, !on)};
  step.then = {mode_is(source, on)};
  step.deadline_ms = tool_deadline_ms;
  return step;
}

}  // namespace

bool can_mix_sizes(const SliceSource& source) {
  return source.mixed_sizes == model::Reading<bool>(false) && source.slices.empty();
}

Operation mix_sizes(const SliceSource& source) {
  Operation op;
  op.kind = "vgpu.mixed_sizes";
  op.subject = source.device;
  op.reason = fmt::format("vGPUs of different sizes side by side on {}", source.device);
  op.before = {mode_is(source, false)};
  op.forward = {set_mode(source, true, "the driver has the mode off after each start")};
  op.after = {mode_is(source, true)};
  op.undo = {set_mode(source, false, "as it was; it changes only while the card has no vGPU")};
  op.after_undo = {mode_is(source, false)};
  return op;
}

}  // namespace tessera::plan::slices
