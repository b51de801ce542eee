// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "app/change.h"
#include "app/health.h"
#include "app/verb.h"
#include "plan/slices/cut.h"
#include "probe/probe.h"
#include "probe/slices/users.h"

namespace tessera::app {

namespace {

struct UnsliceOptions {
  plan::slices::UnsliceIntent intent;
  ChangeOptions change;
};

Result<model::Plan> make_plan(const Session& session, const kernel::Root& root,
                              const UnsliceOptions& options) {
  if (options.intent.slices.empty() && options.intent.devices.empty()) {
    return fail(ErrorKind::invalid, "unslice", "no slice was named",
                "name slices (tessera list slices), or all of a card with --card");
  }
  TRY_LET(auto host, probe::take_snapshot(root, model::Detail::slices));
  probe::slices::find_slice_users(root, host);
  TRY(add_owners(session, host));
  // For what stays on a card whose slices all go; a driver that does not answer is no reason to
  // stay.
  if (!options.intent.devices.empty()) (void)fill_for_slices(root, host);
  return plan::slices::plan_unslice(host, options.intent);
}

}  // namespace

void add_unslice(cli::Verb parser, Session& session) {
  auto options = std::make_shared<UnsliceOptions>();
  auto verb = parser.add_verb("unslice", "take slices away again");
  verb.option("slice", options->intent.slices,
              "UUID of a mediated device, or address of a virtual function");
  verb.option("--card", options->intent.devices, "all slices of this card or mdev parent");
  verb.option("--owner", options->intent.owner, "the machine that they belong to, where they do");
  add_change_options(verb, options->change);
  verb.on_call([&session, options] {
    session.exit_code = change_host(session, options->change, [&](const kernel::Root& root) {
      return make_plan(session, root, *options);
    });
  });
}

}  // namespace tessera::app
