// SPDX-License-Identifier: Apache-2.0
#include "app/printers/doctor.h"

#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/health.h"
#include "app/verb.h"
#include "base/result.h"
#include "kernel/root.h"
#include "plan/doctor.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

struct DoctorOptions {
  std::string card;
  std::string purpose;
  bool list_checks = false;
};

void print_checks(const Session& session) {
  if (session.json) {
    fmt::print("{}\n", checks_json().dump(2));
  } else {
    fmt::print("{}", checks_text(stdout_style()));
  }
}

Result<int> examine(const Session& session, const DoctorOptions& options) {
  TRY_LET(const kernel::Root root, kernel::Root::open(session.root));
  TRY_LET(model::HostSnapshot host, probe::take_snapshot(root));
  (void)fill_health(root, host);  // a driver that does not answer has findings of its own
  const model::Card* card = nullptr;
  if (!options.card.empty()) {
    TRY_LET(card, model::select_card(host, options.card));
  }
  std::optional<plan::Purpose> purpose;
  if (!options.purpose.empty()) {
    TRY_LET(purpose, plan::parse_purpose(options.purpose));
  }
  const auto findings = plan::diagnose(host, card, purpose);
  const bool asks_for_cards = !purpose || *purpose == plan::Purpose::passthrough;
  const auto verdicts =
      asks_for_cards ? plan::verdicts(host, findings, card) : std::vector<plan::Verdict>{};
  if (session.json) {
    fmt::print("{}\n", doctor_json(findings, verdicts).dump(2));
  } else {
    fmt::print("{}", doctor_text(host, findings, verdicts, stdout_style()));
  }
  return exit_code_of(findings);
}

}  // namespace

void add_doctor(cli::Verb parser, Session& session) {
  auto options = std::make_shared<DoctorOptions>();
  auto verb = parser.add_verb("doctor", "say what stands in the way of giving a card away");
  verb.option("card", options->card, "look at this card only (address or identity)");
  verb.option("--for", options->purpose, "leave out what does not matter for this purpose")
      .one_of({"passthrough", "slices", "display"});
  verb.flag("--list-checks", options->list_checks, "list what the doctor looks at");
  verb.footer(
      "Exit code: 0 nothing or notes only, 1 warnings, 2 errors. Changes nothing.\n"
      "Each id in the report has a section in docs/doctor.md.");
  verb.on_call([options, &session] {
    if (options->list_checks) {
      print_checks(session);
      return;
    }
    auto code = examine(session, *options);
    session.exit_code = code ? *code : report(session, code.error());
  });
}

}  // namespace tessera::app
