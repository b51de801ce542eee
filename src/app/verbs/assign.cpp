// SPDX-License-Identifier: Apache-2.0
#include "plan/assign.h"

#include "app/change.h"
#include "app/verb.h"
#include "model/drivers.h"
#include "model/intent.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

struct AssignOptions {
  std::string card;
  std::string to;
  std::string driver;
  bool force = false;
  bool stop_holders = false;
  ChangeOptions change;
};

/// The drivers that the card's functions had before Tessera gave it away, from the newest assign
/// in effect. No journal, or none that can be read, is no obstacle: the kernel's matching decides.
std::map<model::PciAddress, std::string> drivers_before(const Session& session,
                                                        const model::Card& card) {
  std::map<model::PciAddress, std::string> before;
  auto journal = apply::Journal::open(state_dir(session), apply::Journal::Mode::read);
  if (!journal) return before;
  auto record = journal->newest_applied(
      apply::Journal::About{.subject = card.identity, .operation_kind = "vfio.assign"});
  if (!record) return before;
  for (const auto& operation : record->plan.operations) {
    if (operation.kind != "vfio.assign" || operation.before.empty()) continue;
    auto address = model::parse_pci_address(operation.subject);
    const auto& driver = operation.before.front().value;
    if (address && !driver.empty() && !model::is_vfio_driver(driver)) {
      before.emplace(*address, driver);
    }
  }
  return before;
}

Result<model::Plan> make_plan(const Session& session, const kernel::Root& root,
                              const AssignOptions& options) {
  TRY_LET(const auto host, probe::take_snapshot(root));
  TRY_LET(const model::Card* const card, model::select_card(host, options.card));
  model::AssignIntent intent;
  intent.card = card->address;
  intent.to = options.to == "vm" ? model::Owner::vm : model::Owner::host;
  intent.holders = options.stop_holders ? model::HolderPolicy::stop : model::HolderPolicy::refuse;
  intent.force = options.force;
  intent.vfio_driver = options.driver;
  if (intent.to == model::Owner::host) intent.drivers_before = drivers_before(session, *card);
  return plan::plan_assign(host, intent);
}

}  // namespace

void add_assign(cli::Verb parser, Session& session) {
  auto verb =
      parser.add_verb("assign", "give a card to virtual machines, or take it back for the host");
  auto options = std::make_shared<AssignOptions>();
  verb.option("card", options->card, "PCI address or identity of the card").required();
  verb.option("--to", options->to, "who gets it").required().one_of({"vm", "host"});
  verb.flag("--stop-holders", options->stop_holders,
            "stop the processes and units that use the card first");
  verb.flag("--force", options->force,
            "give away the display this machine booted on; never skips isolation");
  verb.option("--driver", options->driver,
              "bind this VFIO driver instead of the best one for the card");
  add_change_options(verb, options->change);
  verb.on_call([&session, options] {
    session.exit_code = change_host(session, options->change, [&](const kernel::Root& root) {
      return make_plan(session, root, *options);
    });
  });
}

}  // namespace tessera::app
