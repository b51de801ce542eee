// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/quotas.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/slices/availability.h"

namespace tessera::plan::slices {

using model::Framework;
using model::Operation;
using model::Quota;
using model::SliceQuotas;
using model::SliceSource;
using model::Step;
using What = model::Expectation::What;

namespace {

/// A quota's file below a virtual function's folder, and what is written there.
struct QuotaText {
  std::string file;
  std::string text;
  bool reads_back = true;  ///< false where the driver may round
};

const char* vram_file(Framework framework) {
  return framework == Framework::xe ? "vram_quota" : "lmem_quota";
}

std::vector<QuotaText> quota_texts(Framework framework, const SliceQuotas& quotas) {
  std::vector<QuotaText> texts;
  const auto add = [&](std::string file, const auto& value, bool reads_back) {
    if (value) texts.push_back({std::move(file), fmt::format("{}", *value), reads_back});
  };
  add(vram_file(framework), quotas.vram_bytes, false);
  add("ggtt_quota", quotas.ggtt_bytes, false);
  add("contexts_quota", quotas.contexts, false);
  add("doorbells_quota", quotas.doorbells, false);
  add("exec_quantum_ms", quotas.exec_quantum_ms, true);
  add("preempt_timeout_us", quotas.preempt_timeout_us, true);
  return texts;
}

/// Of these i915 gives each function a part by itself until one is set by hand.
bool names_resource(const SliceQuotas& quotas) {
  return quotas.vram_bytes || quotas.ggtt_bytes || quotas.contexts || quotas.doorbells;
}

const Quota* quota_of(const SliceSource& source, const std::string& name) {
  const auto found = std::ranges::find(source.quotas, name, &Quota::name);
  return found == source.quotas.end() ? nullptr : &*found;
}

Step write_quota(const std::string& path, const std::string& text, std::string reason) {
  Step step;
  step.path = path;
  step.text = text;
  step.reason = std::move(reason);
  return step;
}

Operation set_quota(const SliceSource& source, const Quota& quota, const QuotaText& wanted) {
  Operation op;
  op.kind = "quota.set";
  op.subject = source.device;
  op.reason = fmt::format("{} of {} is {}", quota.name, source.device, wanted.text);
  op.forward = {
      write_quota(quota.path, wanted.text, "before the virtual function is there to use it")};
  if (wanted.reads_back) op.forward[0].then = {{What::text, quota.path, wanted.text}};
  if (quota.value.has_value()) {
    op.undo = {write_quota(quota.path, quota.value.value(), "as it was")};
  }
  return op;
}

/// Quotas of one card, one after the other.
class Quotas {
 public:
  explicit Quotas(const SliceSource& source) : source_(source) {}

  void end_automatic() {
    const auto* const automatic = quota_of(source_, "pf/auto_provisioning");
    if (!automatic || automatic->value != model::Reading<std::string>("1")) return;
    plan_.operations.push_back(set_quota(source_, *automatic, {"", "0"}));
    plan_.operations.back().forward[0].reason = "or i915 would give out the rest by itself";
  }

  /// Both drivers count a card's functions from 1: vf1 is virtfn0.
  void take(const FunctionQuotas& function) {
    for (const auto& wanted : quota_texts(source_.framework, function.quotas)) {
      const auto name = fmt::format("vf{}/{}", function.vf + 1, wanted.file);
      bool found = false;
      for (const auto& quota : source_.quotas) {
        if (quota.name != name) continue;
        found = true;
        plan_.operations.push_back(set_quota(source_, quota, wanted));
      }
      if (!found) problem(function.vf, fmt::format("{} has no file {}", source_.device, name));
    }
    check_global_table(function);
  }

  void take_priority(int vf, const std::string& priority) {
    if (priority.empty() || priority == priority_) return;
    if (!priority_.empty()) {
      return problem(vf,
                     fmt::format("priority {}, and {} for another: the firmware has one for all "
                                 "virtual functions of a card",
                                 priority, priority_));
    }
    const auto* const all = quota_of(source_, "all/sched_priority");
    if (!all) {
      return problem(vf, fmt::format("{} has no file for the priority of all", source_.device));
    }
    priority_ = priority;
    set_priority_of_all(*all, priority);
  }

  QuotaPlan finish() { return std::move(plan_); }

 private:
  void problem(int vf, const std::string& why) {
    plan_.problems.push_back(fmt::format("vf {}: {}", vf, why));
  }

  /// i915 turns no function on that has nothing of the global table.
  void check_global_table(const FunctionQuotas& function) {
    const auto& quotas = function.quotas;
    if (source_.framework != Framework::i915 || !names_resource(quotas) || quotas.ggtt_bytes) {
      return;
    }
    const auto* const table = quota_of(source_, fmt::format("vf{}/ggtt_quota", function.vf + 1));
    if (!table || table->value != model::Reading<std::string>("0")) return;
    problem(function.vf,
            "a quota set by hand ends what i915 gives out by itself: ggtt is needed as well");
  }

  /// The file cannot be read: what was there is told by those of the functions and of the card.
  void set_priority_of_all(const Quota& all, const std::string& priority) {
    Operation op = set_quota(source_, all, {"", priority, false});
    op.forward[0].reason = "the card and all of its functions get it";
    const std::pair<const char*, std::string> before[] = {{"vf1/sched_priority", all.path},
                                                          {"pf/sched_priority", {}}};
    for (const auto& [name, path] : before) {
      const auto* const was = quota_of(source_, name);
      if (!was || !was->value.has_value()) continue;
      op.undo.push_back(
          write_quota(path.empty() ? was->path : path, was->value.value(), "as it was"));
    }
    plan_.operations.push_back(std::move(op));
  }

  const SliceSource& source_;
  std::string priority_;
  QuotaPlan plan_;
};

}  // namespace

QuotaPlan plan_quotas(const SliceSource& source, const std::vector<FunctionQuotas>& wanted) {
  Quotas quotas(source);
  const bool by_hand = std::ranges::any_of(
      wanted, [](const FunctionQuotas& one) { return names_resource(one.quotas); });
  if (by_hand) quotas.end_automatic();
  for (const auto& function : wanted) quotas.take(function);
  for (const auto& function : wanted) {
    quotas.take_priority(function.vf, function.quotas.sched_priority);
  }
  return quotas.finish();
}

Result<std::vector<Operation>> equal_quotas(const SliceSource& source, int count,
                                            const SliceQuotas& quotas) {
  TRY(check_has_quotas(source, quotas));
  std::vector<FunctionQuotas> wanted;
  for (int vf = 0; vf < count; ++vf) wanted.push_back({vf, quotas});
  auto plan = plan_quotas(source, wanted);
  if (plan.problems.empty()) return std::move(plan.operations);
  return fail(
      ErrorKind::unsupported, source.device, plan.problems.front(),
      fmt::format("tessera profiles {} --json lists the quotas that there are", source.device));
}

SliceQuotas quotas_of(const SliceSource& source, int vf) {
  const auto text = [&](std::string_view file) {
    const auto* const quota = quota_of(source, fmt::format("vf{}/{}", vf + 1, file));
    return quota ? quota->value.value_or("") : std::string();
  };
  const auto bytes = [&](std::string_view file) -> std::optional<std::uint64_t> {
    const auto number = text::to_number(text(file));
    return number.value_or(0) > 0 ? number : std::nullopt;
  };
  const auto number = [&](std::string_view file) -> std::optional<int> {
    const auto value = bytes(file);
    if (!value || *value > INT32_MAX) return std::nullopt;
    return static_cast<int>(*value);
  };
  SliceQuotas quotas;
  quotas.vram_bytes = bytes(vram_file(source.framework));
  quotas.ggtt_bytes = bytes("ggtt_quota");
  quotas.contexts = number("contexts_quota");
  quotas.doorbells = number("doorbells_quota");
  quotas.exec_quantum_ms = number("exec_quantum_ms");
  quotas.preempt_timeout_us = number("preempt_timeout_us");
  if (text("sched_priority") == "normal") quotas.sched_priority = "normal";
  return quotas;
}

Status check_has_quotas(const SliceSource& source, const SliceQuotas& quotas) {
  const bool has_some = source.framework == Framework::xe || source.framework == Framework::i915;
  if (has_some || quotas == SliceQuotas{}) return {};
  return fail(ErrorKind::unsupported, source.device,
              fmt::format("its slices have no quotas: they are {}", in_words(source.framework)),
              "quotas are of Intel's cards with xe or i915; leave them out");
}

}  // namespace tessera::plan::slices
