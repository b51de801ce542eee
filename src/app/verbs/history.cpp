// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/change.h"
#include "app/verb.h"
#include "model/json.h"

namespace tessera::app {

namespace {

nlohmann::ordered_json history_json(const std::vector<apply::PlanRecord>& records) {
  nlohmann::ordered_json all;
  all["schema"] = "tessera/history/1";
  all["plans"] = nlohmann::ordered_json::array();
  for (const auto& record : records) {
    nlohmann::ordered_json one;
    one["id"] = record.id;
    one["time"] = record.time;
    one["state"] = to_string(record.state);
    if (!record.note.empty()) one["note"] = record.note;
    one["plan"] = model::to_json(record.plan);
    all["plans"].push_back(std::move(one));
  }
  return all;
}

int history(const Session& session) {
  auto journal = apply::Journal::open(state_dir(session), apply::Journal::Mode::read);
  std::vector<apply::PlanRecord> records;
  if (journal) {
    auto read = journal->plans();
    if (!read) return report(session, read.error());
    records = std::move(*read);
  } else if (journal.error().kind != ErrorKind::not_found) {
    return report(session, journal.error());
  }
  if (session.json) {
    fmt::print("{}\n", history_json(records).dump(2));
    return exit_ok;
  }
  if (records.empty()) fmt::print("Nothing was changed here yet.\n");
  for (const auto& record : records) {
    fmt::print("{:>4}  {}  {:<9} {}\n", record.id, record.time, to_string(record.state),
               record.plan.title);
    if (!record.note.empty()) fmt::print("      {}\n", record.note);
  }
  return exit_ok;
}

}  // namespace

void add_history(cli::Verb parser, Session& session) {
  auto verb = parser.add_verb("history", "what was changed here, newest first");
  verb.on_call([&session] { session.exit_code = history(session); });
}

}  // namespace tessera::app
