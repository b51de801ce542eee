// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
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

inline std::vector<Finding> findings_with(const HostSnapshot& host, std::string_view id) {
  std::vector<Finding> found;
  for (Finding& finding : diagnose(host)) {
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

/// The cases of settings_checks_test.cpp, for the test that each check has one.
const std::vector<Case>& settings_cases();

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
  EXPECT_EQ(diagnose(host).size(), 1U) << "another check fires too: " << diagnose(host)[0].id;
}

}  // namespace tessera::plan::test
