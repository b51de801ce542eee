// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "app/verb.h"
#include "apply/journal.h"
#include "apply/lock.h"
#include "kernel/root.h"
#include "model/host.h"
#include "model/plan.h"

namespace tessera::app {

/// Options of every verb that changes the host.
struct ChangeOptions {
  bool dry_run = false;      ///< --dry-run: print the plan, do nothing
  double wait_seconds = 10;  ///< --wait: how long to wait for another change to end
};
void add_change_options(cli::Verb verb, ChangeOptions& options);

/// Prints what became of a plan, as JSON ("tessera/change/1": id, state, note, plan).
void print_change_json(const apply::PlanRecord& record);

/// Where this session's journal and lock are.
std::string state_dir(const Session& session);

/// Fills in whose the slices are, from the journal. Nothing recorded is no error. Errors: denied,
/// io.
Status add_owners(const Session& session, model::HostSnapshot& host);

using MakePlan = std::function<Result<model::Plan>(const kernel::Root&)>;

/// What all changing verbs do: open the host, make the plan, print it; unless it is a dry run, take
/// the lock, plan again under it (the host may have moved while we waited), carry it out with
/// progress, and say how to take it back; once more for a plan that says there is more to do
/// (model::Plan::more). Returns the exit code.
int change_host(const Session& session, const ChangeOptions& options, const MakePlan& make_plan);

/// An open host with its lock and journal, for verbs that work on the journal.
struct Workplace {
  kernel::Root root;
  apply::Lock lock;
  apply::Journal journal;
};
/// Errors: denied (a recording cannot be changed, not root), busy, io.
Result<Workplace> open_workplace(const Session& session, const ChangeOptions& options,
                                 const std::string& purpose);

}  // namespace tessera::app
