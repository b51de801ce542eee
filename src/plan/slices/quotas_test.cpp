// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/quotas.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace tessera::plan::slices {
namespace {

using model::Framework;
using model::Reading;
using model::SliceQuotas;
using Words = std::vector<std::string>;

model::SliceSource card(Framework framework, std::vector<model::Quota> quotas) {
  model::SliceSource source;
  source.framework = framework;
  source.card = model::PciAddress{0, 3, 0, 0};
  source.device = "0000:03:00.0";
  source.quotas = std::move(quotas);
  return source;
}

model::SliceSource xe_card() {
  return card(Framework::xe,
              {{"/sys/all", "all/sched_priority", Reading<std::string>::unreadable("EACCES")},
               {"/sys/pf", "pf/sched_priority", std::string("high")},
               {"/sys/v1", "vf1/vram_quota", std::string("0")},
               {"/sys/e1", "vf1/exec_quantum_ms", std::string("5")},
               {"/sys/p1", "vf1/sched_priority", std::string("low")},
               {"/sys/v2", "vf2/vram_quota", std::string("0")},
               {"/sys/e2", "vf2/exec_quantum_ms", std::string("0")}});
}

model::SliceSource i915_card(const std::string& automatic) {
  return card(Framework::i915, {{"/sys/auto", "pf/auto_provisioning", automatic},
                                {"/sys/l1", "vf1/lmem_quota", std::string("0")},
                                {"/sys/g1", "vf1/ggtt_quota", std::string("0")},
                                {"/sys/e1", "vf1/exec_quantum_ms", std::string("0")}});
}

Words writes(const std::vector<model::Operation>& operations) {
  Words words;
  for (const auto& op : operations) words.push_back(in_words(op.forward.at(0)));
  return words;
}

Words undo_of(const model::Operation& operation) {
  Words words;
  for (const auto& step : operation.undo) words.push_back(in_words(step));
  return words;
}

TEST(EqualQuotas, are_written_for_each_function_and_times_are_read_back) {
  SliceQuotas quotas;
  quotas.vram_bytes = gib;
  quotas.exec_quantum_ms = 20;
  auto operations = equal_quotas(xe_card(), 2, quotas);
  ASSERT_TRUE(operations) << one_line(operations.error());
  EXPECT_EQ(writes(*operations), (Words{"write '1073741824' to /sys/v1", "write '20' to /sys/e1",
                                        "write '1073741824' to /sys/v2", "write '20' to /sys/e2"}));
  EXPECT_TRUE(operations->at(0).forward[0].then.empty());
  EXPECT_EQ(operations->at(1).forward[0].then.at(0).value, "20");
  EXPECT_EQ(undo_of(operations->at(1)), (Words{"write '5' to /sys/e1"}));
}

TEST(EqualQuotas, are_none_where_none_is_named_and_refused_where_there_are_none) {
  SliceQuotas quotas;
  EXPECT_TRUE(equal_quotas(card(Framework::sriov, {}), 2, quotas)->empty());
  quotas.vram_bytes = gib;
  auto plain = equal_quotas(card(Framework::sriov, {}), 2, quotas);
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().kind, ErrorKind::unsupported);
  EXPECT_TRUE(plain.error().sentence.starts_with("its slices have no quotas"));
  quotas.ggtt_bytes = mib;
  auto table = equal_quotas(xe_card(), 1, quotas);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(table.error().sentence, "vf 0: 0000:03:00.0 has no file vf1/ggtt_quota");
}

TEST(Priority, of_xe_is_one_for_all_and_undo_gives_the_card_its_own_back) {
  SliceQuotas quotas;
  quotas.sched_priority = "normal";
  auto operations = equal_quotas(xe_card(), 2, quotas);
  ASSERT_TRUE(operations);
  EXPECT_EQ(writes(*operations), (Words{"write 'normal' to /sys/all"}));
  EXPECT_EQ(undo_of(operations->at(0)),
            (Words{"write 'low' to /sys/all", "write 'high' to /sys/pf"}));
}

TEST(Priority, of_two_functions_that_differs_is_a_problem) {
  FunctionQuotas low{0, {}};
  FunctionQuotas normal{1, {}};
  low.quotas.sched_priority = "low";
  normal.quotas.sched_priority = "normal";
  const auto plan = plan_quotas(xe_card(), {low, normal, {2, {}}});
  EXPECT_EQ(plan.operations.size(), 1U);
  EXPECT_EQ(plan.problems, (Words{"vf 1: priority normal, and low for another: the firmware has "
                                  "one for all virtual functions of a card"}));
  const auto none = plan_quotas(card(Framework::xe, {}), {low});
  EXPECT_EQ(none.problems, (Words{"vf 0: 0000:03:00.0 has no file for the priority of all"}));
}

TEST(QuotasOf, a_function_are_what_its_files_read) {
  auto source = xe_card();
  source.quotas[2].value = std::string("1073741824");
  source.quotas[4].value = std::string("normal");
  SliceQuotas expected;
  expected.vram_bytes = gib;
  expected.exec_quantum_ms = 5;
  expected.sched_priority = "normal";
  EXPECT_EQ(quotas_of(source, 0), expected);
  EXPECT_EQ(quotas_of(source, 1), SliceQuotas{});
  auto i915 = i915_card("0");
  i915.quotas[1].value = std::string("4096");
  i915.quotas[3].value = Reading<std::string>::unreadable("EIO");
  expected = {};
  expected.vram_bytes = 4096;
  EXPECT_EQ(quotas_of(i915, 0), expected);
}

TEST(I915, gives_out_nothing_by_itself_while_quotas_are_set_by_hand) {
  SliceQuotas quotas;
  quotas.vram_bytes = gib;
  quotas.ggtt_bytes = mib;
  auto operations = equal_quotas(i915_card("1"), 1, quotas);
  ASSERT_TRUE(operations) << one_line(operations.error());
  EXPECT_EQ(writes(*operations), (Words{"write '0' to /sys/auto", "write '1073741824' to /sys/l1",
                                        "write '1048576' to /sys/g1"}));
  EXPECT_EQ(undo_of(operations->at(0)), (Words{"write '1' to /sys/auto"}));
  EXPECT_EQ(equal_quotas(i915_card("0"), 1, quotas)->size(), 2U);
}

TEST(I915, keeps_giving_where_only_times_are_set) {
  SliceQuotas quotas;
  quotas.exec_quantum_ms = 20;
  EXPECT_EQ(writes(*equal_quotas(i915_card("1"), 1, quotas)), (Words{"write '20' to /sys/e1"}));
}

TEST(I915, turns_on_no_function_without_its_part_of_the_global_table) {
  SliceQuotas quotas;
  quotas.vram_bytes = gib;
  auto refused = equal_quotas(i915_card("1"), 1, quotas);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sentence,
            "vf 0: a quota set by hand ends what i915 gives out by itself: ggtt is needed as well");
}

}  // namespace
}  // namespace tessera::plan::slices
