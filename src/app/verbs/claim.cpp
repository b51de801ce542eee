// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "app/change.h"
#include "app/verb.h"
#include "plan/slices/owners.h"
#include "probe/probe.h"
#include "probe/slices/users.h"

namespace tessera::app {

namespace {

struct ClaimOptions {
  plan::slices::ClaimIntent intent;
  std::string like;
  ChangeOptions change;
};

using MakeOwnerPlan = Result<model::Plan> (*)(const model::HostSnapshot&,
                                              const plan::slices::ClaimIntent&);

Result<model::Plan> plan_owners(const Session& session, const kernel::Root& root,
                                const ClaimOptions& options, MakeOwnerPlan make) {
  TRY_LET(auto host, probe::take_snapshot(root, model::Detail::slices));
  probe::slices::find_slice_users(root, host);
  TRY(add_owners(session, host));
  return make(host, options.intent);
}

Status complete(ClaimOptions& options) {
  if (!options.like.empty()) {
    TRY_LET(options.intent.wishes, plan::slices::parse_request(options.like));
  }
  if (options.intent.slices.empty() == options.intent.wishes.empty()) {
    return fail(ErrorKind::invalid, "claim", "either slices are named or what they must be like",
                "tessera claim SLICE --owner vm1, or tessera claim --like 2x8Q --owner vm1");
  }
  return {};
}

void add_owner_option(cli::Verb verb, ClaimOptions& options) {
  verb.option("--owner", options.intent.owner, "the machine's name").required();
}

}  // namespace

void add_claim(cli::Verb parser, Session& session) {
  auto options = std::make_shared<ClaimOptions>();
  auto verb = parser.add_verb("claim", "record which machine a slice is for");
  verb.option("slice", options->intent.slices,
              "UUID of a mediated device, or address of a virtual function");
  verb.option("--like", options->like,
              "instead of names: so many of such slices that are nobody's and not open, 2x8Q");
  add_owner_option(verb, *options);
  add_change_options(verb, options->change);
  verb.on_call([&session, options] {
    if (auto ready = complete(*options); !ready) {
      session.exit_code = report(session, ready.error());
      return;
    }
    session.exit_code = change_host(session, options->change, [&](const kernel::Root& root) {
      return plan_owners(session, root, *options, plan::slices::plan_claim);
    });
  });
}

void add_disown(cli::Verb parser, Session& session) {
  auto options = std::make_shared<ClaimOptions>();
  auto verb = parser.add_verb("disown", "record that a slice is nobody's again");
  verb.option("slice", options->intent.slices, "its name; without, all slices of the machine");
  add_owner_option(verb, *options);
  add_change_options(verb, options->change);
  verb.on_call([&session, options] {
    session.exit_code = change_host(session, options->change, [&](const kernel::Root& root) {
      return plan_owners(session, root, *options, plan::slices::plan_disown);
    });
  });
}

}  // namespace tessera::app
