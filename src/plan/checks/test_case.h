// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "plan/checks/test_host.h"
#include "plan/doctor.h"

namespace tessera::plan::test {

using model::Finding;
using model::HostSnapshot;
using model::Severity;

/// What the doctor says of `host` where the check `id` is run at all.
inline std::vector<Finding> findings_where_it_runs(const HostSnapshot& host, std::string_view id) {
  auto check = std::ranges::find(all_checks(), id, &Check::id);
  const bool asked = check != all_checks().end() && check->on_request;
  return diagnose(host, nullptr, asked ? std::optional(Purpose::slices) : std::nullopt);
}

inline std::vector<Finding> findings_with(const HostSnapshot& host, std::string_view id) {
  std::vector<Finding> found;
  for (Finding& finding : findings_where_it_runs(host, id)) {
    if (finding.id == id) found.push_back(std::move(finding));
  }
  return found;
}

inline std::string evidence_text(const Finding& finding) {
  std::string text;
  for (const auto& seen : finding.evidence) text += seen.path + ": " + seen.text + "\n";
  return text;
}

/// One thing wrong with a good host, and the one finding it must make.
struct Case {
  std::string name;
  std::string id;
  Severity severity;
  std::string evidence;  ///< a line of the evidence that must be there
  std::string command;   ///< the exact command; empty: none
  std::function<void(HostSnapshot&)> change;

  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
};

/// The cases of settings_checks_test.cpp and card_checks_test.cpp, for the test that each check has
/// one.
const std::vector<Case>& settings_cases();
const std::vector<Case>& card_hardware_cases();

inline void expect_one_finding(const Case& c) {
  HostSnapshot host = good_host();
  ASSERT_TRUE(findings_with(host, c.id).empty()) << "fires on a good host";
  c.change(host);
  auto found = findings_with(host, c.id);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, c.severity);
  EXPECT_NE(evidence_text(found[0]).find(c.evidence), std::string::npos) << evidence_text(found[0]);
  EXPECT_EQ(found[0].command, c.command);
  for (const auto& text : {found[0].title, found[0].cause, found[0].consequence, found[0].fix}) {
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.find('!'), std::string::npos) << text;
  }
  const auto all = findings_where_it_runs(host, c.id);
  EXPECT_EQ(all.size(), 1U) << "another check fires too: " << all[0].id;
}

}  // namespace tessera::plan::test
