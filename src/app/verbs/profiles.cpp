// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/health.h"
#include "app/printers/slices.h"
#include "app/verb.h"
#include "kernel/root.h"
#include "plan/slices/cut.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

Status show_profiles(const Session& session, const std::string& card) {
  TRY_LET(const kernel::Root root, kernel::Root::open(session.root));
  TRY_LET(model::HostSnapshot host, probe::take_snapshot(root, model::Detail::slices));
  const auto unknown = fill_for_slices(root, host);
  Sources sources;
  if (card.empty()) {
    for (const auto& source : host.slice_sources) sources.push_back(&source);
  } else {
    TRY_LET(const model::SliceSource* const source, plan::slices::select_source(host, card));
    sources.push_back(source);
  }
  if (session.json) {
    fmt::print("{}\n", profiles_json(host, sources).dump(2));
  } else {
    fmt::print("{}", profiles_text(host, sources, stdout_style()));
    if (!unknown.empty()) fmt::print("The cards' health is not known: {}\n", unknown);
  }
  return {};
}

}  // namespace

void add_profiles(cli::Verb parser, Session& session) {
  auto card = std::make_shared<std::string>();
  auto verb = parser.add_verb("profiles", "show what a card can be cut into now, and why not more");
  verb.option("card", *card, "PCI address or identity of a card, or an mdev parent; default: all");
  verb.footer(
      "MOST is how many a card takes that holds nothing else, NOW what can still be made; a "
      "letter\n"
      "beside a 0 leads to the reason below the table. '-' is not told by the driver. Changes\n"
      "nothing on the host.");
  verb.on_call([card, &session] {
    auto done = show_profiles(session, *card);
    session.exit_code = done ? exit_ok : report(session, done.error());
  });
}

}  // namespace tessera::app
