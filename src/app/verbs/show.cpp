// SPDX-License-Identifier: Apache-2.0
#include "app/printers/show.h"

#include <memory>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/verb.h"
#include "kernel/root.h"
#include "model/json.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

Status show_card(const Session& session, const std::string& selector) {
  TRY_LET(const kernel::Root root, kernel::Root::open(session.root));
  TRY_LET(const model::HostSnapshot host, probe::take_snapshot(root));
  TRY_LET(const model::Card* const card, model::select_card(host, selector));
  if (session.json) {
    fmt::print("{}\n", to_json(only_card(host, *card)).dump(2));
  } else {
    fmt::print("{}", show_text(host, *card, stdout_style()));
  }
  return {};
}

}  // namespace

void add_show(cli::Verb parser, Session& session) {
  auto selector = std::make_shared<std::string>();
  auto verb = parser.add_verb("show", "show all that is known about one card");
  verb.option("card", *selector, "address of any of its functions, or its identity").required();
  verb.footer(
      "FOREIGN marks a device that shares an IOMMU group with the card without being a part of\n"
      "it: the card cannot be given away without that one. Changes nothing.");
  verb.on_call([selector, &session] {
    auto done = show_card(session, *selector);
    session.exit_code = done ? exit_ok : report(session, done.error());
  });
}

}  // namespace tessera::app
