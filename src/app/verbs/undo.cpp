// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "app/change.h"
#include "app/printers/plan.h"
#include "app/verb.h"
#include "apply/executor.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

struct UndoOptions {
  std::int64_t id = 0;  ///< 0: the newest plan in effect
  ChangeOptions change;
};

Result<apply::PlanRecord> choose(const apply::Journal& journal, std::int64_t id) {
  if (id != 0) return journal.plan(id);
  return journal.newest_applied();
}

/// Taking a card back from under a running machine would hang in the kernel until it ends.
Status check_not_held(const kernel::Root& root, const model::Plan& plan) {
  TRY_LET(const auto host, probe::take_snapshot(root));
  for (const auto& holder : host.holders) {
    const auto device = to_string(holder.function);
    const bool ours = std::ranges::any_of(plan.operations, [&](const model::Operation& operation) {
      return operation.subject == device && operation.kind.starts_with("vfio.");
    });
    if (!ours) continue;
    return fail(ErrorKind::busy, device,
                fmt::format("{} (pid {}) has {} open", holder.name, holder.pid,
                            fmt::join(holder.paths, " and ")),
                "end it first; the card is then free to go back");
  }
  return {};
}

Status undo(const Session& session, const UndoOptions& options) {
  TRY_LET(auto workplace, open_workplace(session, options.change, "undo"));
  TRY_LET(auto record, choose(workplace.journal, options.id));
  TRY(check_not_held(workplace.root, record.plan));
  if (options.change.dry_run) {
    fmt::print("{}", plan_text(record.plan));
    return {};
  }
  ProgressPrinter progress;
  TRY_LET(auto executor,
          apply::Executor::create(workplace.root, workplace.journal, workplace.lock, progress));
  TRY(executor.undo(record.id));
  if (session.json) {
    record.state = apply::PlanState::undone;
    print_change_json(record);
  } else {
    fmt::print("Undone: plan {}, {}\n", record.id, record.plan.title);
  }
  return {};
}

}  // namespace

void add_undo(cli::Verb parser, Session& session) {
  auto verb = parser.add_verb("undo", "take a change back; the newest one by default");
  auto options = std::make_shared<UndoOptions>();
  verb.option("id", options->id, "number of the plan, as tessera history shows it");
  add_change_options(verb, options->change);
  verb.on_call([&session, options] {
    auto done = undo(session, *options);
    session.exit_code = done ? exit_ok : report(session, done.error());
  });
}

}  // namespace tessera::app
