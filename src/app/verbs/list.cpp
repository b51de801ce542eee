// SPDX-License-Identifier: Apache-2.0
#include "app/printers/list.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/verb.h"
#include "kernel/root.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

Status list_cards(const Session& session) {
  TRY_LET(const kernel::Root root, kernel::Root::open(session.root));
  TRY_LET(const model::HostSnapshot host, probe::take_snapshot(root, model::Detail::cards));
  if (session.json) {
    fmt::print("{}\n", list_json(host).dump(2));
  } else {
    fmt::print("{}", list_text(host, stdout_style()));
  }
  return {};
}

}  // namespace

void add_list(cli::Verb parser, Session& session) {
  auto verb = parser.add_verb("list", "list the cards of this host and who has them");
  verb.footer(
      "A card is a whole board: the indented lines are its other functions. GROUP is the IOMMU\n"
      "group, NUMA the memory node; '-' is not known. Changes nothing.");
  verb.on_call([&session] {
    auto done = list_cards(session);
    session.exit_code = done ? exit_ok : report(session, done.error());
  });
}

}  // namespace tessera::app
