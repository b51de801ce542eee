// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "app/change.h"
#include "app/health.h"
#include "app/verb.h"
#include "base/text.h"
#include "base/uuid.h"
#include "plan/slices/cut.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

struct QuotaOptions {
  std::string vram;
  std::string ggtt;
  model::SliceQuotas others;  ///< as they are given; sizes are read
};

struct SliceOptions {
  std::string card;
  std::string wanted;
  std::optional<int> machines;
  std::string memory;
  std::string work = "any";
  std::vector<std::string> settings;
  std::string owner;
  QuotaOptions quotas;
  ChangeOptions change;
};

/// "4G", "512M" in bytes.
Result<std::uint64_t> size_of(const std::string& option, const std::string& text) {
  TRY_LET(const auto wishes, plan::slices::parse_request(text));
  const auto& wish = wishes.front();
  if (wishes.size() != 1 || wish.count != 1 || wish.framebuffer_bytes == 0 ||
      !wish.series.empty()) {
    return fail(ErrorKind::invalid, option + " " + text, "is no size",
                fmt::format("give the size of each slice: {} 4G", option));
  }
  return wish.framebuffer_bytes;
}

Result<std::vector<plan::slices::Wish>> wishes_of(const SliceOptions& options) {
  if (!options.wanted.empty()) return plan::slices::parse_request(options.wanted);
  if (!options.machines || options.memory.empty()) {
    return fail(ErrorKind::invalid, "slice", "nothing was asked for",
                "say what: tessera slice CARD 4x8G, or --vms 6 --memory 4G");
  }
  plan::slices::Wish wish;
  wish.count = *options.machines;
  TRY_LET(wish.at_least_bytes, size_of("--memory", options.memory));
  return std::vector{wish};
}

Result<model::SliceQuotas> quotas_of(const QuotaOptions& options) {
  model::SliceQuotas quotas = options.others;
  if (!options.vram.empty()) {
    TRY_LET(quotas.vram_bytes, size_of("--vram-quota", options.vram));
  }
  if (!options.ggtt.empty()) {
    TRY_LET(quotas.ggtt_bytes, size_of("--ggtt-quota", options.ggtt));
  }
  return quotas;
}

Result<std::map<std::string, std::string>> settings_of(const SliceOptions& options) {
  std::map<std::string, std::string> settings;
  for (const auto& setting : options.settings) {
    const auto mark = setting.find('=');
    if (mark == std::string::npos || mark == 0 || setting.find(',') != std::string::npos) {
      return fail(ErrorKind::invalid, "--set " + setting, "is not NAME=VALUE",
                  "for example: --set frame_rate_limiter=0");
    }
    settings[setting.substr(0, mark)] = setting.substr(mark + 1);
  }
  return settings;
}

Result<plan::slices::SliceIntent> intent_of(const SliceOptions& options) {
  plan::slices::SliceIntent intent;
  if (options.card != "any") intent.devices = {options.card};
  TRY_LET(intent.wishes, wishes_of(options));
  TRY_LET(const auto work, plan::slices::parse_workload(options.work));
  TRY_LET(intent.settings, settings_of(options));
  intent.owner = options.owner;
  TRY_LET(intent.quotas, quotas_of(options.quotas));
  int count = 0;
  for (auto& wish : intent.wishes) {
    wish.workload = work;
    count += wish.count;
  }
  for (int i = 0; i < count; ++i) {
    TRY_LET(const Uuid uuid, random_uuid());
    intent.uuids.push_back(to_string(uuid));
  }
  return intent;
}

Result<model::Plan> make_plan(const Session& session, const kernel::Root& root,
                              const plan::slices::SliceIntent& intent) {
  TRY_LET(auto host, probe::take_snapshot(root, model::Detail::slices));
  TRY(add_owners(session, host));
  const auto unknown = fill_for_slices(root, host);
  TRY_LET(auto plan, plan::slices::plan_slices(host, intent));
  if (!unknown.empty()) plan.notes.push_back("the cards' health is not known: " + unknown);
  return plan;
}

/// What each slice gets of an Intel card; what is not named is left to the driver.
void add_quota_options(cli::Verb verb, QuotaOptions& options) {
  constexpr double most = 1e9;
  auto& others = options.others;
  verb.option("--vram-quota", options.vram, "xe, i915: memory of the card for each, \"4G\"");
  verb.option("--ggtt-quota", options.ggtt, "i915: of the global address table, \"256M\"");
  verb.option("--contexts", others.contexts, "i915: contexts for each").between(0, most);
  verb.option("--doorbells", others.doorbells, "i915: doorbells for each").between(0, most);
  verb.option("--exec-quantum", others.exec_quantum_ms,
              "xe, i915: milliseconds that each may run in a row; 0: no limit")
      .between(0, most);
  verb.option("--preempt-timeout", others.preempt_timeout_us,
              "xe, i915: microseconds that each may take to stop then; 0: no limit")
      .between(0, most);
  verb.option("--priority", others.sched_priority, "xe: of the card and all its slices")
      .one_of({"low", "normal"});
}

}  // namespace

void add_slice(cli::Verb parser, Session& session) {
  auto options = std::make_shared<SliceOptions>();
  auto verb = parser.add_verb("slice", "cut a card into slices for virtual machines");
  verb.option("card", options->card,
              "PCI address or identity of a card, an mdev parent, or \"any\"")
      .required();
  verb.option("wanted", options->wanted, "how many of what: 4x8G, 1x8Q+2x4Q, 2xnvidia-300, 3xvf");
  verb.option("--vms", options->machines, "that many slices, for as many machines")
      .between(1, 4096);
  verb.option("--memory", options->memory, "with --vms: framebuffer that each needs, \"4G\"");
  verb.option("--for", options->work, "what the machines do, where several series have the size")
      .one_of({"any", "compute", "desktop", "apps"})
      .show_default();
  verb.option("--set", options->settings,
              "NAME=VALUE of vgpu_params for each slice, such as frame_rate_limiter=0");
  verb.option("--owner", options->owner, "the machine that they are for (see claim)");
  add_quota_options(verb, options->quotas);
  add_change_options(verb, options->change);
  verb.on_call([&session, options] {
    auto intent = intent_of(*options);
    if (!intent) {
      session.exit_code = report(session, intent.error());
      return;
    }
    session.exit_code = change_host(session, options->change, [&](const kernel::Root& root) {
      auto plan = make_plan(session, root, *intent);
      intent->again = true;
      return plan;
    });
  });
}

}  // namespace tessera::app
