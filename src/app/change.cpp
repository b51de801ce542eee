// SPDX-License-Identifier: Apache-2.0
#include "app/change.h"

#include <cstdio>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/printers/plan.h"
#include "apply/executor.h"
#include "kernel/files.h"
#include "model/json.h"
#include "plan/slices/explain/explain.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

Deadline deadline_of(const ChangeOptions& options) {
  return Deadline::in(Milliseconds(static_cast<std::int64_t>(options.wait_seconds * 1000)));
}

void print_plan(const Session& session, const model::Plan& plan) {
  if (session.json) {
    fmt::print("{}\n", model::to_json(plan).dump(2));
  } else {
    fmt::print("{}", plan_text(plan));
  }
  (void)std::fflush(stdout);
}

/// Plans left over from a crash come first: planning on top of them would take a half-done state
/// for the host's own.
Status check_nothing_unfinished(const apply::Journal& journal) {
  TRY_LET(const auto unfinished, journal.unfinished());
  if (unfinished.empty()) return {};
  const auto& first = unfinished.front();
  return fail(ErrorKind::conflict, fmt::format("plan {}", first.id),
              fmt::format("'{}' was cut off ({}); the host is between two states", first.plan.title,
                          to_string(first.state)),
              "tessera recover");
}

/// What a refusal means, from what stands on the cards now; the error itself where that cannot be
/// told.
Error with_explanation(const kernel::Root& root, const model::Plan& plan, Error error) {
  const auto host = probe::take_snapshot(root, model::Detail::slices);
  if (!host) return error;
  return plan::slices::explained(*host, plan, std::move(error), root.kernel_log());
}

/// Plans anew under the lock, because the host may have moved while we waited; says so if it did.
/// True when a further plan is to be made after this one.
Result<bool> carry_out(const Session& session, const ChangeOptions& options,
                       const model::Plan& shown, const MakePlan& make_plan) {
  TRY_LET(auto workplace, open_workplace(session, options, shown.title));
  TRY(check_nothing_unfinished(workplace.journal));
  TRY_LET(const auto plan, make_plan(workplace.root));
  if (plan.operations != shown.operations && !session.json) {
    fmt::print("The host has changed meanwhile. The plan now:\n\n");
    print_plan(session, plan);
  }
  if (plan.operations.empty()) return false;
  ProgressPrinter progress;
  TRY_LET(auto executor,
          apply::Executor::create(workplace.root, workplace.journal, workplace.lock, progress));
  auto applied = executor.apply(plan);
  if (!applied) {
    return fail(with_explanation(workplace.root, plan, std::move(applied.error())));
  }
  const auto id = *applied;
  if (session.json) {
    print_change_json({id, {}, apply::PlanState::applied, {}, plan, 0});
  } else {
    fmt::print("Done, as plan {}. To take it back: tessera undo {}\n", id, id);
  }
  return plan.more;
}

}  // namespace

void add_change_options(cli::Verb verb, ChangeOptions& options) {
  verb.flag("-n,--dry-run", options.dry_run, "print the plan with its reasons; do nothing");
  verb.option("--wait", options.wait_seconds, "seconds to wait for another change to end")
      .show_default()
      .between(0.0, 86400.0);
}

void print_change_json(const apply::PlanRecord& record) {
  nlohmann::ordered_json change;
  change["schema"] = "tessera/change/1";
  change["id"] = record.id;
  change["state"] = to_string(record.state);
  if (!record.note.empty()) change["note"] = record.note;
  change["plan"] = model::to_json(record.plan);
  fmt::print("{}\n", change.dump(2));
}

std::string state_dir(const Session& session) {
  if (!session.state_dir.empty()) return session.state_dir;
  const std::string root = session.root == "/" ? "" : session.root;
  return root + std::string(kernel::files::state_dir);
}

Status add_owners(const Session& session, model::HostSnapshot& host) {
  auto journal = apply::Journal::open(state_dir(session), apply::Journal::Mode::read);
  if (!journal && journal.error().kind == ErrorKind::not_found) return {};
  if (!journal) return fail(std::move(journal.error()));
  TRY_LET(host.slice_owners, journal->owners());
  return {};
}

Result<Workplace> open_workplace(const Session& session, const ChangeOptions& options,
                                 const std::string& purpose) {
  TRY_LET(auto root, kernel::Root::open(session.root));
  if (root.kind() == kernel::Root::Kind::recording) {
    return fail(ErrorKind::unsupported, session.root,
                "a recording is a picture of a host; nothing in it can be changed",
                "use --dry-run to see the plan");
  }
  TRY_LET(auto journal, apply::Journal::open(state_dir(session), apply::Journal::Mode::write));
  TRY_LET(auto lock, apply::Lock::take(state_dir(session), purpose, deadline_of(options)));
  return Workplace{std::move(root), std::move(lock), std::move(journal)};
}

int change_host(const Session& session, const ChangeOptions& options, const MakePlan& make_plan) {
  auto root = kernel::Root::open(session.root);
  if (!root) return report(session, root.error());
  for (bool more = true; more;) {
    auto plan = make_plan(*root);
    if (!plan) return report(session, plan.error());
    const bool nothing_to_do = options.dry_run || plan->operations.empty();
    if (nothing_to_do || !session.json) print_plan(session, *plan);
    if (nothing_to_do) return exit_ok;
    auto done = carry_out(session, options, *plan, make_plan);
    if (!done) return report(session, done.error());
    more = *done;
  }
  return exit_ok;
}

}  // namespace tessera::app
