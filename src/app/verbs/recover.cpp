// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/change.h"
#include "app/printers/plan.h"
#include "app/verb.h"
#include "apply/executor.h"

namespace tessera::app {

namespace {

struct RecoverOptions {
  std::int64_t forget = 0;
  ChangeOptions change;
};

/// Gives a plan up that can never be undone, for instance because its card was taken out.
Status forget(apply::Journal& journal, std::int64_t id) {
  TRY_LET(const auto record, journal.plan(id));
  if (record.state == apply::PlanState::applied || record.state == apply::PlanState::undone) {
    return fail(ErrorKind::invalid, fmt::format("plan {}", id),
                fmt::format("it is {}; there is nothing to forget", to_string(record.state)));
  }
  TRY(journal.set_state(id, apply::PlanState::undone, "given up by hand: " + record.note));
  fmt::print("Plan {} is given up; look at the host with tessera doctor.\n", id);
  return {};
}

using AllRecovered = std::vector<apply::Executor::Recovered>;

void print_recovered(const AllRecovered& recovered) {
  if (recovered.empty()) fmt::print("Nothing to recover: no change was cut off.\n");
  for (const auto& one : recovered) {
    fmt::print("Plan {} ({}) was cut off while {}; it is {} now.\n", one.id, one.title,
               to_string(one.found), to_string(one.now));
    if (one.now != apply::PlanState::failed) continue;
    fmt::print(
        "  {}\n  hint: mend that and run tessera recover again, or give the plan up with "
        "tessera recover --forget {}\n",
        one.note, one.id);
  }
}

nlohmann::ordered_json recovered_json(const AllRecovered& recovered) {
  nlohmann::ordered_json all;
  all["schema"] = "tessera/recovered/1";
  all["plans"] = nlohmann::ordered_json::array();
  for (const auto& one : recovered) {
    all["plans"].push_back({{"id", one.id},
                            {"title", one.title},
                            {"found", to_string(one.found)},
                            {"state", to_string(one.now)},
                            {"note", one.note}});
  }
  return all;
}

Result<int> recover(const Session& session, const RecoverOptions& options) {
  TRY_LET(auto workplace, open_workplace(session, options.change, "recover"));
  if (options.forget != 0) {
    TRY(forget(workplace.journal, options.forget));
    return exit_ok;
  }
  ProgressPrinter progress;
  TRY_LET(auto executor,
          apply::Executor::create(workplace.root, workplace.journal, workplace.lock, progress));
  TRY_LET(const auto recovered, executor.recover());
  const bool all_known = std::ranges::none_of(
      recovered, [](const auto& one) { return one.now == apply::PlanState::failed; });
  if (session.json) {
    fmt::print("{}\n", recovered_json(recovered).dump(2));
  } else {
    print_recovered(recovered);
  }
  return all_known ? exit_ok : exit_code_of(ErrorKind::io);
}

}  // namespace

void add_recover(cli::Verb parser, Session& session) {
  auto verb = parser.add_verb(
      "recover",
      "after a crash: bring the host to a known state (finish or undo what was cut off)");
  auto options = std::make_shared<RecoverOptions>();
  verb.option("--forget", options->forget, "give up this plan without touching the host");
  options->change.wait_seconds = 10;
  verb.option("--wait", options->change.wait_seconds, "seconds to wait for another change to end")
      .show_default();
  verb.on_call([&session, options] {
    auto code = recover(session, *options);
    session.exit_code = code ? *code : report(session, code.error());
  });
}

}  // namespace tessera::app
