// SPDX-License-Identifier: Apache-2.0
#include "apply/executor.h"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "apply/crash_point.h"
#include "apply/expect.h"
#include "base/text.h"
#include "kernel/modules.h"
#include "kernel/processes.h"
#include "kernel/tools.h"
#include "model/pci.h"

namespace tessera::apply {

namespace {

using model::Expectation;
using model::Operation;
using model::Plan;
using model::Step;
using Action = model::Step::Action;

/// The arguments of a tool, with the word in them that is known only now.
Result<std::string> fill_in(const kernel::Root& root, const Step& step) {
  if (!step.word) return step.text;
  TRY_LET(const std::string word, look_up(root, *step.word));
  constexpr std::string_view blank = "{}";
  std::string filled = step.text;
  const auto place = filled.find(blank);
  if (place != std::string::npos) filled.replace(place, blank.size(), word);
  return filled;
}

/// Whether it is about settings on a disk, which the kernel never reads.
bool changes_settings(const Step& step) {
  return step.action == Action::write_file || step.action == Action::remove_file ||
         step.action == Action::remove_folder;
}

/// What the kernel calls the thing that a step is about: the last word of what it writes or of its
/// arguments, or the device in its path where that is only a number. Empty where it has no name.
std::string name_in_kernel_log(const Step& step) {
  const auto words = text::words(step.text);
  if (!words.empty() && !text::to_number(words.back())) return std::string(words.back());
  for (const auto piece : text::split(step.path, '/') | std::views::reverse) {
    if (model::parse_pci_address(piece)) return std::string(piece);
  }
  return {};
}

/// What the kernel logged last about what a step wrote, as a phrase to put after an error; empty if
/// nothing. The last two lines are enough: the kernel says the reason last.
std::string kernel_words(const kernel::Root& root, const Step& step) {
  const std::string subject = name_in_kernel_log(step);
  if (changes_settings(step) || subject.empty()) return {};
  std::vector<std::string> about;
  for (const auto& line : root.kernel_log()) {
    if (line.find(subject) != std::string::npos) about.push_back(text::printable(line));
  }
  if (about.empty()) return {};
  if (about.size() > 2) about.erase(about.begin(), about.end() - 2);
  return fmt::format("; the kernel says: {}", text::join(about, " / "));
}

/// The text of a file before a step changes it, for the journal; empty where it cannot be read.
std::string found_before(const kernel::Root& root, const Step& step) {
  if (!changes_settings(step) && step.action != Action::write) return {};
  auto before = root.read(step.path);
  if (!before) return {};
  return changes_settings(step) ? std::move(*before) : std::string(text::trim(*before));
}

/// What a cut-off write of a settings file left beside it. Best effort: a file that stays is hidden
/// and does no harm, and the steps that follow tell what is wrong with the folder.
void clear_away_unfinished(const kernel::Root& root, const Operation& operation) {
  for (const auto* steps : {&operation.forward, &operation.undo}) {
    for (const auto& step : *steps) {
      if (step.action == Action::write_file) (void)root.discard_unfinished(step.path);
    }
  }
}

std::vector<kernel::Root::LateWrite> late_writes(const Step& step) {
  std::vector<kernel::Root::LateWrite> writes;
  for (const auto& late : step.late) writes.push_back({late.path, late.text});
  return writes;
}

/// Whether an operation came after one of the plan on the same thing, or stands on what that did.
bool builds_on(const Operation& later, const Plan& plan) {
  return std::ranges::any_of(plan.operations, [&](const Operation& earlier) {
    return earlier.kind != "module.load" &&
           (later.subject == earlier.subject ||
            std::ranges::find(later.uses, earlier.subject) != later.uses.end());
  });
}

}  // namespace

Executor::Executor(const kernel::Root& root, Journal& journal, const Lock& lock, Progress& progress,
                   kernel::UeventListener listener)
    : root_(&root),
      journal_(&journal),
      lock_(&lock),
      progress_(&progress),
      listener_(std::move(listener)) {}

Result<Executor> Executor::create(const kernel::Root& root, Journal& journal, const Lock& lock,
                                  Progress& progress) {
  TRY_LET(auto listener, kernel::UeventListener::open(root));
  return Executor(root, journal, lock, progress, std::move(listener));
}

Status Executor::check(const std::vector<Expectation>& expectations) const {
  for (const auto& expectation : expectations) {
    if (holds(*root_, *journal_, expectation)) continue;
    return fail(ErrorKind::stale, expectation.path,
                fmt::format("expected that {}, but {}", in_words(expectation),
                            seen_instead(*root_, *journal_, expectation)),
                "somebody else changed it in between; run the command again to plan anew");
  }
  return {};
}

Status Executor::perform(const Step& step) {
  const auto deadline = Deadline::in(Milliseconds(step.deadline_ms));
  switch (step.action) {
    case Action::write:
      return root_->write(step.path, step.text, deadline, late_writes(step));
    case Action::load_module:
      return kernel::load_module(*root_, step.path);
    case Action::unload_module: {
      auto unloaded = kernel::unload_module(*root_, step.path);
      if (!unloaded && unloaded.error().kind == ErrorKind::busy) return {};  // it has other users
      return unloaded;
    }
    case Action::stop_process: {
      auto pid = text::to_number(step.path);
      if (!pid) return fail(ErrorKind::invalid, step.path, "is no process number");
      return kernel::stop_process(*root_, static_cast<int>(*pid), deadline);
    }
    case Action::stop_unit:
      return kernel::stop_unit(*root_, step.path, deadline);
    case Action::start_unit:
      return kernel::start_unit(*root_, step.path, deadline);
    case Action::write_file:
      return root_->write_file(step.path, step.text);
    case Action::remove_file:
      return root_->remove_file(step.path);
    case Action::remove_folder:
      return root_->remove_folder(step.path);
    case Action::run_tool:
      return run_tool(step, deadline);
    case Action::claim:
      return journal_->claim(step.path, step.text);
    case Action::disown:
      return journal_->release(step.path, step.text);
  }
  return {};
}

Status Executor::run_tool(const Step& step, Deadline deadline) const {
  TRY_LET(const std::string filled_in, fill_in(*root_, step));
  const auto arguments = text::words(filled_in);
  TRY_LET(const auto outcome,
          kernel::run_tool(*root_, step.path, {arguments.begin(), arguments.end()}, deadline,
                           lock_->descriptor()));
  if (outcome.exit_code == 0) return {};
  const auto said = text::lines(text::trim(outcome.output));
  return fail(ErrorKind::io, step.path,
              fmt::format("'{}' ended with {}{}", in_words(step), outcome.exit_code,
                          said.empty() ? std::string(" and said nothing")
                                       : ": " + text::printable(said.back())));
}

Status Executor::wait_for(const Step& step) {
  const auto deadline = Deadline::in(Milliseconds(step.deadline_ms));
  for (const auto& expectation : step.then) {
    if (listener_.wait_until([&] { return holds(*root_, *journal_, expectation); }, deadline))
      continue;
    return fail(
        ErrorKind::timeout, expectation.path,
        fmt::format("{} was done, but {} s later it does not hold that {}: {}{}", in_words(step),
                    step.deadline_ms / 1000, in_words(expectation),
                    seen_instead(*root_, *journal_, expectation), kernel_words(*root_, step)));
  }
  return {};
}

Status Executor::check_not_hung(const Operation& operation) const {
  if (!hung_.contains(operation.subject)) return {};
  return fail(ErrorKind::timeout, operation.subject,
              "a write to it still waits in the kernel, and every further one would",
              "end whoever uses the device, then: tessera recover");
}

Status Executor::run_step(const Operation& operation, const Step& step,
                          const Journal::Place& place) {
  TRY(check_not_hung(operation));
  const auto started = std::chrono::steady_clock::now();
  if (!std::ranges::all_of(step.only_if,
                           [&](const auto& e) { return holds(*root_, *journal_, e); })) {
    progress_->step_skipped(step);
    return {};
  }
  auto journaled = journal_->step_begins(place, found_before(*root_, step));
  // Without a record nothing new is begun, but what was begun is taken back all the same.
  if (!journaled && place.direction == Direction::forward) return journaled;
  crash_point();
  auto done = perform(step);
  if (!done) {
    Error error = std::move(done.error());
    const bool hangs = step.action == Action::write && error.kind == ErrorKind::timeout;
    if (hangs) hung_.insert(operation.subject);
    error.sentence += kernel_words(*root_, step);
    return fail(std::move(error));
  }
  crash_point();
  TRY(wait_for(step));
  auto recorded = journal_->step_done(place);
  if (!recorded && place.direction == Direction::forward) return recorded;
  crash_point();
  progress_->step_done(
      step, std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started));
  return {};
}

Status Executor::run_forward(const Operation& operation, std::int64_t plan, int index) {
  Journal::Place place{plan, index, Direction::forward, 0};
  for (const auto& step : operation.forward) {
    TRY(run_step(operation, step, place));
    ++place.step;
  }
  return check(operation.after);
}

Status Executor::run_undo(const Operation& operation, std::int64_t plan, int index) {
  progress_->operation_begins(operation, Direction::undo);
  clear_away_unfinished(*root_, operation);
  Status first_failure;
  Journal::Place place{plan, index, Direction::undo, 0};
  for (const auto& step : operation.undo) {
    auto done = run_step(operation, step, place);
    if (!done && first_failure) first_failure = std::move(done);
    ++place.step;
  }
  TRY(check_not_hung(operation));
  // The host's state decides, not each step's word: a step may have lost a race it need not win.
  auto restored = check(operation.after_undo);
  if (restored) return {};
  return first_failure ? restored : first_failure;
}

Status Executor::undo_operations(const Plan& plan, std::int64_t id, int begun) {
  Status first_failure;
  for (int index = begun - 1; index >= 0; --index) {
    auto undone = run_undo(plan.operations[static_cast<std::size_t>(index)], id, index);
    if (!undone && first_failure) first_failure = std::move(undone);
  }
  return first_failure;
}

Error Executor::take_back(const Plan& plan, std::int64_t id, int begun, Error cause) {
  const std::string told = one_line(cause);
  (void)journal_->set_state(id, PlanState::undoing, told);  // recover undoes `applying` likewise
  auto undone = undo_operations(plan, id, begun);
  if (undone) {
    (void)journal_->set_state(id, PlanState::undone, told);
    cause.sentence += ". Everything done before it was taken back";
    return cause;
  }
  (void)journal_->set_state(id, PlanState::failed, one_line(undone.error()));
  cause.sentence += fmt::format(". Taking it back did not work yet: {}", one_line(undone.error()));
  cause.hint = "tessera recover";
  return cause;
}

Result<std::int64_t> Executor::apply(const Plan& plan) {
  TRY_LET(const std::int64_t id, journal_->begin(plan));
  crash_point();
  int index = 0;
  for (const auto& operation : plan.operations) {
    progress_->operation_begins(operation, Direction::forward);
    auto as_seen = check(operation.before);
    // An operation that finds another world than the planner saw has done nothing, and its undo
    // would take away what somebody else did: only those before it are taken back.
    if (!as_seen) return fail(take_back(plan, id, index, std::move(as_seen.error())));
    auto done = run_forward(operation, id, index++);
    if (!done) return fail(take_back(plan, id, index, std::move(done.error())));
  }
  auto recorded = journal_->set_state(id, PlanState::applied);
  if (!recorded) return fail(take_back(plan, id, index, std::move(recorded.error())));
  crash_point();
  return id;
}

Status Executor::check_no_later_plan(const PlanRecord& record) const {
  TRY_LET(const auto records, journal_->applied(record.id));
  for (const auto& later : records) {
    const bool in_the_way =
        std::ranges::any_of(later.plan.operations, [&](const Operation& operation) {
          return builds_on(operation, record.plan) && check(operation.after).has_value();
        });
    if (!in_the_way) continue;
    return fail(ErrorKind::conflict, fmt::format("plan {}", record.id),
                fmt::format("plan {} ({}) came later, is in effect and touched the same devices",
                            later.id, later.plan.title),
                fmt::format("tessera undo {}", later.id));
  }
  return {};
}

Status Executor::undo(std::int64_t id) {
  TRY_LET(const auto record, journal_->plan(id));
  if (record.state != PlanState::applied) {
    return fail(ErrorKind::invalid, fmt::format("plan {}", id),
                fmt::format("it is not in effect: it is {}", to_string(record.state)),
                "tessera history shows what can be undone");
  }
  TRY(check_no_later_plan(record));
  TRY(journal_->set_state(id, PlanState::undoing));
  crash_point();
  auto undone = undo_operations(record.plan, id, static_cast<int>(record.plan.operations.size()));
  if (!undone) return fail(keep(record, std::move(undone.error())));
  TRY(journal_->set_state(id, PlanState::undone));
  crash_point();
  return {};
}

/// An undo that was refused as a whole leaves a plan that is in effect; any other, and one of which
/// that cannot be told, leaves a host that has to be recovered.
Error Executor::keep(const PlanRecord& record, Error cause) {
  const bool told = std::ranges::none_of(record.plan.operations,
                                         [](const Operation& op) { return op.after.empty(); });
  const bool untouched = hung_.empty() && told && holds_wholly(record.plan);
  (void)journal_->set_state(record.id, untouched ? PlanState::applied : PlanState::failed,
                            untouched ? record.note : one_line(cause));
  if (untouched) {
    cause.sentence += fmt::format(". Plan {} is still in effect", record.id);
  } else {
    cause.hint = "tessera recover tries again";
  }
  return cause;
}

bool Executor::holds_wholly(const Plan& plan) const {
  return std::ranges::all_of(plan.operations,
                             [&](const Operation& done) { return check(done.after).has_value(); });
}

Result<std::vector<Executor::Recovered>> Executor::recover() {
  TRY_LET(const auto records, journal_->unfinished());
  std::vector<Recovered> all;
  for (const auto& record : records) {
    Recovered one{record.id, record.plan.title, record.state, PlanState::undone, record.note};
    const bool complete =
        record.state == PlanState::applying &&
        record.operations_begun == static_cast<int>(record.plan.operations.size()) &&
        holds_wholly(record.plan);
    if (complete) {
      one.now = PlanState::applied;
    } else {
      auto undone = undo_operations(record.plan, record.id, record.operations_begun);
      if (!undone) {
        one.now = PlanState::failed;
        one.note = one_line(undone.error());
      }
    }
    TRY(journal_->set_state(record.id, one.now, one.note));
    crash_point();
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace tessera::apply
