// SPDX-License-Identifier: Apache-2.0
#include "app/printers/doctor.h"

#include <algorithm>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "plan/checks/test_host.h"

namespace tessera::app {
namespace {

using namespace plan::test;  // NOLINT(google-build-using-namespace)

model::HostSnapshot host_with_trouble() {
  auto host = good_host();
  host.kernel.noiommu_enabled = true;
  move_to_group(host, network, 2);
  return host;
}

std::string report_on(const model::HostSnapshot& host, const ReportStyle& style) {
  const auto findings = plan::diagnose(host);
  return doctor_text(host, findings, plan::verdicts(host, findings), style);
}

TEST(doctor_report, wraps_words_and_indents_what_follows) {
  EXPECT_EQ(wrapped("one two three", 2, 10), "one two\n  three");
  EXPECT_EQ(wrapped("one two", 2, 9), "one two");
  EXPECT_EQ(wrapped("a-word-longer-than-the-line b", 4, 10), "a-word-longer-than-the-line\n    b");
  EXPECT_EQ(wrapped("", 4, 10), "");
  EXPECT_EQ(wrapped("\xc3\xa4\xc3\xb6\xc3\xbc x", 0, 5), "\xc3\xa4\xc3\xb6\xc3\xbc x");
}

TEST(doctor_report, a_good_host_has_nothing_to_report_and_its_card_can_be_given) {
  EXPECT_EQ(report_on(good_host(), {}),
            "host, kernel 6.1.0-31-amd64\n"
            "  nothing to report\n"
            "\n"
            "0000:01:00.0  NVIDIA Corporation GV100GL [Tesla V100 PCIe 16GB]\n"
            "  0000:01:00.0 can be given to a VM now: tessera assign 0000:01:00.0 --to vm\n");
}

TEST(doctor_report, tells_severity_title_id_evidence_and_the_way_out) {
  const std::string text = report_on(host_with_trouble(), {});
  for (const char* part :
       {"  warning: VFIO may work without an IOMMU (enable_unsafe_noiommu_mode=Y)",
        "[noiommu-mode]", "    seen   /sys/module/vfio/parameters/enable_unsafe_noiommu_mode: Y\n",
        "    why    ", "    so     ", "    fix    ", "    run    echo N | sudo tee ",
        "  error: IOMMU group 2 holds another device too: 0000:02:00.0 [group-shared]\n",
        "  0000:01:00.0 cannot be given to a VM now: group-shared\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(doctor_report, prose_stays_within_the_width) {
  const ReportStyle style{60, ReportStyle::Color::none};
  const std::string report = report_on(host_with_trouble(), style);
  for (std::string_view line : text::lines(report)) {
    bool copied = line.starts_with("    seen") || line.starts_with("    run");
    EXPECT_TRUE(copied || line.size() <= 60U) << line;
  }
}

TEST(doctor_report, colors_come_only_when_asked_for) {
  EXPECT_EQ(report_on(host_with_trouble(), {}).find('\x1b'), std::string::npos);
  EXPECT_NE(report_on(host_with_trouble(), {80, ReportStyle::Color::ansi}).find("\x1b["),
            std::string::npos);
}

TEST(doctor_report, a_host_without_cards_says_so) {
  model::HostSnapshot host;
  EXPECT_EQ(report_on(host, {}),
            "host\n  nothing to report\n\n"
            "no cards: no PCI function of a display or accelerator class\n");
}

TEST(doctor_report, json_carries_findings_and_verdicts) {
  auto host = host_with_trouble();
  const auto findings = plan::diagnose(host);
  auto json = doctor_json(findings, plan::verdicts(host, findings));
  EXPECT_EQ(json["schema"], "tessera/findings/1");
  ASSERT_EQ(json["findings"].size(), 2U);
  EXPECT_EQ(json["findings"][1]["id"], "group-shared");
  EXPECT_EQ(json["findings"][1]["card"], "0000:01:00.0");
  ASSERT_EQ(json["verdicts"].size(), 1U);
  EXPECT_EQ(json["verdicts"][0]["outcome"], "blocked");
  EXPECT_EQ(json["verdicts"][0]["because"], nlohmann::json::array({"group-shared"}));
  EXPECT_FALSE(json["verdicts"][0].contains("command"));
}

TEST(doctor_report, the_list_of_checks_names_every_check) {
  const std::string text = checks_text({});
  auto json = checks_json();
  EXPECT_EQ(json["schema"], "tessera/checks/1");
  EXPECT_EQ(json["checks"].size(), plan::all_checks().size());
  for (const plan::Check& check : plan::all_checks()) {
    EXPECT_NE(text.find("\n" + std::string(check.id) + " "), std::string::npos) << check.id;
  }
}

}  // namespace
}  // namespace tessera::app
