// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "plan/checks/test_host.h"
#include "plan/doctor.h"

/// What the tests of checks share.
namespace tessera::plan::test {

/// The findings without a purpose, and those that only a purpose brings.
inline std::vector<model::Finding> all_findings(const model::HostSnapshot& host) {
  std::vector<model::Finding> found = diagnose(host);
  for (const Check& check : all_checks()) {
    if (!check.only_when_asked) continue;
    const Purpose asked = check.purposes.slices ? Purpose::slices : Purpose::display;
    for (model::Finding& finding : diagnose(host, nullptr, asked)) {
      if (finding.id == check.id) found.push_back(std::move(finding));
    }
  }
  return found;
}

inline std::vector<model::Finding> findings_with(const model::HostSnapshot& host,
                                                 std::string_view id) {
  std::vector<model::Finding> found = all_findings(host);
  std::erase_if(found, [&](const model::Finding& finding) { return finding.id != id; });
  return found;
}

inline std::string evidence_text(const model::Finding& finding) {
  std::string text;
  for (const auto& seen : finding.evidence) text += seen.path + ": " + seen.text + "\n";
  return text;
}

/// One thing wrong with a good host, and the one finding it must make.
struct Case {
  std::string name;
  std::string id;
  model::Severity severity;
  std::string evidence;  ///< a line of the evidence that must be there
  std::string command;   ///< the exact command; empty: none
  std::function<void(model::HostSnapshot&)> change;
  std::set<std::string> also = {};  ///< ids of checks that rightly fire with it

  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
};

inline std::string case_name(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

/// Changes a good host as the case says, and expects its finding and no other.
inline void expect_one_finding(const Case& c) {
  model::HostSnapshot host = good_host();
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
  std::vector<model::Finding> others = all_findings(host);
  std::erase_if(others, [&](const model::Finding& finding) {
    return finding.id == c.id || c.also.contains(finding.id);
  });
  EXPECT_TRUE(others.empty()) << "another check fires too: " << others[0].id;
}

/// Cases about kernel arguments and other settings (settings_checks_test.cpp).
const std::vector<Case>& settings_cases();
/// Cases about the card's hardware and surroundings (hardware_test.cpp).
const std::vector<Case>& hardware_cases();

}  // namespace tessera::plan::test
