// SPDX-License-Identifier: Apache-2.0
#include "app/printers/show.h"

#include <memory>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
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

void add_show(CLI::App& parser, Session& session) {
  auto selector = std::make_shared<std::string>();
  auto* verb = parser.add_subcommand("show", "show all that is known about one card");
  verb->add_option("card", *selector, "address of any of its functions, or its identity")
      ->required();
  verb->footer(
      "FOREIGN marks a device that shares an IOMMU group with the card without being a part of\n"
      "it: the card cannot be given away without that one. Changes nothing.");
  verb->callback([selector, &session] {
    auto done = show_card(session, *selector);
    session.exit_code = done ? exit_ok : report(session, done.error());
  });
}

}  // namespace tessera::app
