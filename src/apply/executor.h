// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "apply/journal.h"
#include "apply/lock.h"
#include "base/result.h"
#include "kernel/root.h"
#include "kernel/uevent.h"
#include "model/plan.h"

namespace tessera::apply {

/// What happens while a plan is carried out, for whoever wants to show it. The engine has no mouth.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void operation_begins(const model::Operation& operation, Direction direction) = 0;
  virtual void step_done(const model::Step& step, Milliseconds took) = 0;
  virtual void step_skipped(const model::Step& step) = 0;
};

/// The hands: carries plans through the journal to the kernel, takes them back, and cleans up after
/// a crash. The caller holds the Lock; the host's own tools that a step runs hold it with us, so
/// that nobody works on the host beside one that outlives us. Each step goes: journal it, do it,
/// wait (uevents, deadline) until what must hold holds, journal that. Every answer is read back
/// from the kernel.
class Executor {
 public:
  /// All of them must outlive it.
  static Result<Executor> create(const kernel::Root& root, Journal& journal, const Lock& lock,
                                 Progress& progress);

  /// Carries the plan out and returns its id. If a step fails, or the world is not as planned
  /// (stale), everything done so far is undone, and the error says whether that worked.
  Result<std::int64_t> apply(const model::Plan& plan);

  /// Takes an applied plan back, last operation first. Errors: invalid (not in effect), conflict (a
  /// later plan in effect touched the same devices, or stands on them: undo that one first). What a
  /// later plan did and the kernel no longer shows is not in the way. A plan of which nothing could
  /// be taken back stays in effect; one of which a part was stays `failed`, for recover().
  Status undo(std::int64_t id);

  /// What recover() did with one unfinished plan.
  struct Recovered {
    std::int64_t id = 0;
    std::string title;
    PlanState found = PlanState::applying;  ///< as the crash left it
    PlanState now = PlanState::undone;
    std::string note;
  };
  /// Brings every unfinished plan to a known state: one whose every operation holds is applied,
  /// any other is undone. What cannot be undone now stays `failed`, with the reason, and is tried
  /// again by the next recover.
  Result<std::vector<Recovered>> recover();

 private:
  Executor(const kernel::Root& root, Journal& journal, const Lock& lock, Progress& progress,
           kernel::UeventListener listener);

  Status check(const std::vector<model::Expectation>& expectations) const;
  Status wait_for(const model::Step& step);
  Status run_tool(const model::Step& step, Deadline deadline) const;
  Status perform(const model::Step& step);
  Status run_step(const model::Operation& operation, const model::Step& step,
                  const Journal::Place& place);
  Status check_not_hung(const model::Operation& operation) const;
  Status run_forward(const model::Operation& operation, std::int64_t plan, int index);
  Status run_undo(const model::Operation& operation, std::int64_t plan, int index);
  Status undo_operations(const model::Plan& plan, std::int64_t id, int begun);
  Error take_back(const model::Plan& plan, std::int64_t id, int begun, Error cause);
  Error keep(const PlanRecord& record, Error cause);
  bool holds_wholly(const model::Plan& plan) const;
  Status check_no_later_plan(const PlanRecord& record) const;

  const kernel::Root* root_;
  Journal* journal_;
  const Lock* lock_;
  Progress* progress_;
  kernel::UeventListener listener_;
  /// Subjects that a write hangs on. The kernel holds the device's lock meanwhile, so that each
  /// further write to it would hang as well.
  std::set<std::string> hung_;
};

}  // namespace tessera::apply
