// SPDX-License-Identifier: Apache-2.0
#include "plan/doctor.h"

#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "base/text.h"
#include "plan/checks/test_host.h"

namespace tessera::plan {
namespace {

using model::HostSnapshot;
using namespace test;  // NOLINT(google-build-using-namespace)

HostSnapshot host_with_two_cards() {
  HostSnapshot host = good_host();
  auto other = function_at(at(3, 0, 0), class_vga, "amdgpu", 4);
  other.vendor = std::uint16_t{0x1002};
  other.boot_vga = true;
  other.reset_methods = std::vector<std::string>{"flr"};
  host.functions.push_back(other);
  host.groups.push_back({4, {other.address}, {}, {}});
  host.cards.push_back({"other", other.address, "other", {other.address}, {4}, false});
  return host;
}

Verdict verdict_on(const HostSnapshot& host, const model::Card& card) {
  return verdicts(host, diagnose(host, &card), &card).at(0);
}

TEST(doctor, ids_are_kebab_case_and_unique) {
  std::set<std::string_view> seen;
  for (const Check& check : all_checks()) {
    EXPECT_TRUE(seen.insert(check.id).second) << check.id;
    EXPECT_EQ(check.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos);
    EXPECT_FALSE(check.looks_at.empty());
  }
  EXPECT_GE(seen.size(), 12U);
}

TEST(doctor, findings_of_the_host_come_before_those_of_cards) {
  HostSnapshot host = host_with_two_cards();
  host.kernel.noiommu_enabled = true;
  edit(host, gpu).boot_vga = true;
  auto findings = diagnose(host);
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].card, std::nullopt);
  EXPECT_EQ(findings[1].card, gpu);
  EXPECT_EQ(findings[2].card, at(3, 0, 0));
}

TEST(doctor, only_the_card_asked_about_is_looked_at) {
  HostSnapshot host = host_with_two_cards();
  EXPECT_TRUE(diagnose(host, &host.cards[0]).empty());
  EXPECT_EQ(diagnose(host, &host.cards[1]).size(), 1U);
}

TEST(doctor, a_free_card_can_be_given_now) {
  HostSnapshot host = good_host();
  Verdict verdict = verdict_on(host, host.cards[0]);
  EXPECT_EQ(verdict.outcome, Verdict::Outcome::ready);
  EXPECT_EQ(verdict.command, "tessera assign 0000:01:00.0 --to vm");
  EXPECT_TRUE(verdict.because.empty());
  model::Finding sick;
  sick.id = "card-health";
  sick.severity = model::Severity::error;
  sick.card = host.cards[0].address;
  EXPECT_EQ(verdicts(host, {sick})[0].outcome, verdict.outcome) << "it speaks against, no more";
}

TEST(doctor, the_boot_display_needs_force) {
  HostSnapshot host = host_with_two_cards();
  EXPECT_EQ(verdict_on(host, host.cards[1]).command, "tessera assign 0000:03:00.0 --to vm --force");
}

TEST(doctor, errors_of_the_card_and_of_the_host_block_it) {
  HostSnapshot host = good_host();
  move_to_group(host, network, 2);
  host.kernel.vfio_pci_available = false;
  Verdict verdict = verdict_on(host, host.cards[0]);
  EXPECT_EQ(verdict.outcome, Verdict::Outcome::blocked);
  EXPECT_EQ(verdict.because, (std::vector<std::string>{"vfio-driver-missing", "group-shared"}));
  EXPECT_TRUE(verdict.command.empty());
}

TEST(doctor, errors_of_another_card_do_not_block_this_one) {
  HostSnapshot host = host_with_two_cards();
  model::Holder holder;
  holder.pid = 1;
  holder.name = "Xorg";
  holder.function = at(3, 0, 0);
  host.holders = {holder};
  auto all = verdicts(host, diagnose(host));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].outcome, Verdict::Outcome::ready);
  EXPECT_EQ(all[1].outcome, Verdict::Outcome::blocked);
}

TEST(doctor, a_card_on_vfio_is_given_and_can_be_taken_back) {
  HostSnapshot host = good_host();
  edit(host, gpu).driver = "vfio-pci";
  edit(host, audio).driver = "vfio-pci";
  Verdict verdict = verdict_on(host, host.cards[0]);
  EXPECT_EQ(verdict.outcome, Verdict::Outcome::given);
  EXPECT_EQ(verdict.command, "tessera assign 0000:01:00.0 --to host");
}

TEST(doctor, without_recorded_groups_nothing_is_promised) {
  HostSnapshot host = good_host();
  host.live = false;
  host.complete = false;
  host.kernel = {};
  host.groups.clear();
  host.cards[0].groups.clear();
  Verdict verdict = verdict_on(host, host.cards[0]);
  EXPECT_EQ(verdict.outcome, Verdict::Outcome::unknown);
  EXPECT_TRUE(verdict.command.empty());
}

/// Headings "## id" of docs/doctor.md.
std::set<std::string> documented_ids() {
  std::ifstream page(TESSERA_TESTS_DIR "/../docs/doctor.md");
  std::set<std::string> ids;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) ids.emplace(text::trim(std::string_view(line).substr(3)));
  }
  return ids;
}

TEST(doctor, each_check_has_a_section_in_the_docs_and_each_section_a_check) {
  std::set<std::string> ids;
  for (const Check& check : all_checks()) ids.emplace(check.id);
  EXPECT_EQ(documented_ids(), ids);
}

}  // namespace
}  // namespace tessera::plan
