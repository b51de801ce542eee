// SPDX-License-Identifier: Apache-2.0
#include "app/health.h"

#include <memory>
#include <string>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/printers/health.h"
#include "app/verb.h"
#include "plan/slices/health.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

struct HealthOptions {
  std::string card;
  HealthTexts texts;
};

/// The report with one card in it and its vGPUs.
Result<model::HealthReport> only(const model::HealthReport& report, const model::HostSnapshot& host,
                                 const std::string& selector) {
  TRY_LET(const model::Card* const card, model::select_card(host, selector));
  const auto* const gpu = report.gpu(card->address);
  if (gpu == nullptr) {
    return fail(
        ErrorKind::not_found, to_string(card->address),
        fmt::format("{} says nothing of this card", report.source),
        "NVIDIA's driver tells of cards that it has, and not of those that a VFIO driver has");
  }
  model::HealthReport one{report.source, {*gpu}, {}, {}};
  for (const auto& vgpu : report.vgpus) {
    if (vgpu.card == card->address) one.vgpus.push_back(vgpu);
  }
  return one;
}

Result<int> show_health(const Session& session, const HealthOptions& options) {
  TRY_LET(const auto root, kernel::Root::open(session.root));
  TRY_LET(const auto host, probe::take_snapshot(root, model::Detail::cards));
  TRY_LET(auto report, read_health(root, host, HealthDepth::everything, options.texts));
  if (!report) {
    return fail(ErrorKind::not_found, root.location(),
                "nothing tells of its cards' health: no card has NVIDIA's driver, or neither its "
                "library nor nvidia-smi can be asked",
                "give what it printed elsewhere: nvidia-smi -q -x > FILE, then --from FILE");
  }
  if (!options.card.empty()) {
    TRY_LET(*report, only(*report, host, options.card));
  }
  const auto cordons = plan::slices::cordons(*report);
  if (session.json) {
    fmt::print("{}\n", health_json(*report, cordons).dump(2));
  } else {
    fmt::print("{}", health_text(*report, cordons, stdout_style()));
  }
  return report->unreachable.empty() ? exit_code_of(cordons) : exit_errors;
}

}  // namespace

void add_health(cli::Verb parser, Session& session) {
  auto options = std::make_shared<HealthOptions>();
  auto verb = parser.add_verb("health", "show what a card's driver says of it and of its slices");
  verb.option("card", options->card, "this card only (address or identity)");
  auto from = verb.option("--from", options->texts.cards,
                          "text of `nvidia-smi -q -x`, in place of asking the driver");
  verb.option("--vgpus-from", options->texts.vgpus, "text of `nvidia-smi vgpu -q`, with --from")
      .needs(from);
  verb.footer(
      "Exit code: 0 nothing speaks against new slices, 1 warnings, 2 errors. Changes nothing.\n"
      "docs/health.md says where each value is read and what a missing one means.");
  verb.on_call([options, &session] {
    auto code = show_health(session, *options);
    session.exit_code = code ? *code : report(session, code.error());
  });
}

}  // namespace tessera::app
