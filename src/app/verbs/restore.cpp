// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/restore.h"

#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "app/change.h"
#include "app/health.h"
#include "app/verb.h"
#include "base/text.h"
#include "kernel/files.h"
#include "probe/probe.h"
#include "probe/slices/definitions.h"

namespace tessera::app {

namespace {

Result<plan::slices::Restore> restore_of(const kernel::Root& root) {
  plan::slices::DefinedSlices defined;
  TRY_LET(defined.mdevs, probe::mdev_definitions(root));
  TRY_LET(auto file, probe::read_host_file(root));
  if (file) defined.file = std::move(*file);
  TRY_LET(auto host, probe::take_snapshot(root, model::Detail::slices));
  const bool asks_nvidia = std::ranges::any_of(defined.file.slices, [](const auto& slice) {
    return slice.framework == model::Framework::vendor_vfio;
  });
  if (asks_nvidia) (void)fill_for_slices(root, host);  // one that does not answer names fewer types
  return plan::slices::plan_restore(host, defined);
}

/// The first plan that was not tried yet; an empty one when there is none.
Result<model::Plan> next_plan(const kernel::Root& root, const std::set<std::string>& tried) {
  TRY_LET(auto restore, restore_of(root));
  const auto next = std::ranges::find_if(
      restore.plans, [&](const model::Plan& plan) { return !tried.contains(plan.title); });
  return next == restore.plans.end() ? model::Plan{} : std::move(*next);
}

/// All plans as one, for --dry-run.
Result<model::Plan> whole_plan(const kernel::Root& root) {
  TRY_LET(auto restore, restore_of(root));
  model::Plan all{"make what is defined", {}, {}, std::move(restore.problems)};
  for (auto& plan : restore.plans) {
    std::ranges::move(plan.operations, std::back_inserter(all.operations));
  }
  if (all.operations.empty() && all.notes.empty()) {
    all.notes.emplace_back("everything that is defined is there");
  }
  return all;
}

/// Looks at the host again: what is still missing is an error, whatever the plans said.
Status check_complete(const kernel::Root& root) {
  TRY_LET(const auto restore, restore_of(root));
  std::vector<std::string> missing = restore.problems;
  for (const auto& plan : restore.plans) missing.push_back("could not " + plan.title);
  if (missing.empty()) return {};
  return fail(ErrorKind::conflict, "restore",
              fmt::format("not all that is defined is there: {}", text::join(missing, "; ")),
              fmt::format("tessera list slices shows what is; the definitions are in {} and {}",
                          kernel::files::mdev_definitions, kernel::files::host_file));
}

int restore(const Session& session, const ChangeOptions& options) {
  if (options.dry_run) return change_host(session, options, whole_plan);
  const auto root = kernel::Root::open(session.root);
  if (!root) return report(session, root.error());
  std::set<std::string> tried;
  for (;;) {
    const auto next = next_plan(*root, tried);
    if (!next) return report(session, next.error());
    if (next->operations.empty()) break;
    // One that fails has said so; it is counted again at the end.
    (void)change_host(session, options,
                      [&](const kernel::Root& host) { return next_plan(host, tried); });
    tried.insert(next->title);
  }
  if (auto complete = check_complete(*root); !complete) return report(session, complete.error());
  if (!session.json) fmt::print("Everything that is defined is there.\n");
  return exit_ok;
}

}  // namespace

void add_restore(cli::Verb parser, Session& session) {
  auto options = std::make_shared<ChangeOptions>();
  auto verb = parser.add_verb("restore", "make the slices that are defined and are not there");
  add_change_options(verb, *options);
  verb.footer(fmt::format(
      "Definitions with start \"auto\", of mdevctl ({}) and of {}.\n"
      "tessera-restore.service does this at boot. What stands on the host is left alone.",
      kernel::files::mdev_definitions, kernel::files::host_file));
  verb.on_call([&session, options] { session.exit_code = restore(session, *options); });
}

}  // namespace tessera::app
