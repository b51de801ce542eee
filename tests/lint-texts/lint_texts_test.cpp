// SPDX-License-Identifier: Apache-2.0
// Every rule of tessera lint has texts in which it must find its mistake, and others in which it
// must not; see README.md here.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "base/test_directory.h"
#include "base/text.h"
#include "kernel/root.h"
#include "plan/lint.h"
#include "probe/probe.h"

namespace {

namespace fs = std::filesystem;
using tessera::model::HostSnapshot;
using tessera::plan::Hit;
using tessera::plan::LintRule;

const fs::path tests_dir = TESSERA_TESTS_DIR;
const fs::path texts_dir = tests_dir / "lint-texts";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The snapshot of a recording; the test fails where it does not open.
HostSnapshot snapshot_of(const fs::path& recording) {
  auto root = tessera::kernel::Root::open(recording);
  if (!root) {
    ADD_FAILURE() << recording << ": " << one_line(root.error());
    return {};
  }
  auto host = tessera::probe::take_snapshot(*root);
  if (!host) {
    ADD_FAILURE() << recording << ": " << one_line(host.error());
    return {};
  }
  return *host;
}

struct Example {
  bool fires = false;
  std::string kind;
  std::string host;  ///< a folder of tests/hosts, or the lines of a recording; empty: nothing known
  std::string text;
};

std::vector<Example> read_examples(const fs::path& path) {
  constexpr std::string_view mark = ">>> ";
  std::vector<Example> examples;
  std::string here;
  bool in_host = false;
  const std::string file = read_file(path);
  for (auto line : tessera::text::lines(file)) {
    if (!line.starts_with(mark)) {
      std::string& to = in_host ? here : examples.back().text;
      to += std::string(line) + '\n';
      continue;
    }
    auto words = tessera::text::words(line.substr(mark.size()));
    in_host = words[0] == "host";
    if (in_host) {
      here.clear();
      continue;
    }
    EXPECT_TRUE(words[0] == "fires" || words[0] == "silent") << path << ": " << line;
    Example example;
    example.fires = words[0] == "fires";
    example.kind = words.at(1);
    if (words.size() > 2) example.host = words[2] == "here" ? here : std::string(words[2]);
    examples.push_back(std::move(example));
  }
  return examples;
}

HostSnapshot host_of(const Example& example) {
  if (example.host.empty()) return {};
  if (example.host.find('\n') == std::string::npos) {
    return snapshot_of(tests_dir / "hosts" / example.host / "tree.tsv");
  }
  const tessera::TestDirectory folder;
  folder.file("/tree.tsv", example.host);
  return snapshot_of(folder.real("/tree.tsv"));
}

std::vector<Hit> hits_of(const Example& example) {
  auto kind = tessera::plan::parse_text_kind(example.kind);
  if (!kind) {
    ADD_FAILURE() << one_line(kind.error());
    return {};
  }
  return tessera::plan::lint(example.text, "text", *kind, host_of(example));
}

std::string ids_of(const std::vector<Hit>& hits) {
  std::string all;
  for (const Hit& hit : hits) all += hit.id + " ";
  return all;
}

std::string name_of(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

class Rule : public testing::TestWithParam<std::string> {};

TEST_P(Rule, finds_its_mistake_and_only_that) {
  const fs::path path = texts_dir / "rules" / (GetParam() + ".txt");
  ASSERT_TRUE(fs::exists(path)) << "the rule has no examples; write " << path;
  int firing = 0;
  int silent = 0;
  for (const Example& example : read_examples(path)) {
    const auto hits = hits_of(example);
    const bool hit = std::ranges::find(hits, GetParam(), &Hit::id) != hits.end();
    EXPECT_EQ(hit, example.fires) << example.text << "found: " << ids_of(hits);
    ++(example.fires ? firing : silent);
    for (const Hit& one : hits) {
      EXPECT_GT(one.line, 0);
      EXPECT_FALSE(one.says.empty() || one.why.empty()) << one.id;
      EXPECT_FALSE(one.right.empty()) << one.id << " does not say the right form";
    }
  }
  EXPECT_GT(firing, 0) << path << " has no text in which the rule fires";
  EXPECT_GT(silent, 0) << path << " has no text in which the rule is silent";
}

std::vector<std::string> rule_ids() {
  std::vector<std::string> ids;
  for (const LintRule& rule : tessera::plan::all_lint_rules()) ids.emplace_back(rule.id);
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Lint, Rule, testing::ValuesIn(rule_ids()),
                         [](const auto& rule) { return name_of(rule.param); });

TEST(Rules, have_ids_of_their_own_and_a_source) {
  std::map<std::string_view, int> count;
  for (const LintRule& rule : tessera::plan::all_lint_rules()) {
    EXPECT_EQ(++count[rule.id], 1) << rule.id;
    EXPECT_FALSE(rule.source.empty()) << rule.id;
  }
}

TEST(Rules, stand_in_the_documentation_with_verdict_and_source) {
  const std::string page = read_file(tests_dir / ".." / "docs" / "lint.md");
  for (const LintRule& rule : tessera::plan::all_lint_rules()) {
    std::string says;
    for (char c : rule.says) says += c == '<' ? "\\<" : std::string(1, c);
    const std::string row =
        fmt::format("| `{}` | {} | {} |", rule.id, to_string(rule.verdict), says);
    EXPECT_NE(page.find(row), std::string::npos) << "docs/lint.md lacks: " << row;
    EXPECT_NE(page.find(rule.source), std::string::npos) << rule.id << ": " << rule.source;
  }
}

TEST(Rules, have_no_examples_of_rules_that_are_gone) {
  const auto ids = rule_ids();
  for (const auto& entry : fs::directory_iterator(texts_dir / "rules")) {
    const std::string id = entry.path().stem();
    EXPECT_NE(std::ranges::find(ids, id), ids.end()) << entry.path();
  }
}

struct Output {
  std::string text;
  int exit_code = -1;
};

/// Runs tessera in tests/, so that the names in the output are the same everywhere.
Output run_lint(const std::string& arguments) {
  const std::string command =
      fmt::format("cd '{}' && '{}' --root hosts/lab-twin-cards/tree.tsv {} 2>&1",
                  tests_dir.string(), TESSERA_BINARY, arguments);
  FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr) << command;
  if (pipe == nullptr) return {};
  Output output;
  std::array<char, 4096> piece{};
  while (std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe)) {
    output.text.append(piece.data(), size);
  }
  const int status = ::pclose(pipe);
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

std::vector<std::string> texts_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(texts_dir / folder)) {
    const fs::path path = fs::relative(entry.path(), texts_dir / folder);
    if (entry.is_regular_file() && path.extension() != ".golden") names.push_back(path);
  }
  std::ranges::sort(names);
  return names;
}

class Text : public testing::TestWithParam<std::string> {};

TEST_P(Text, full_of_mistakes_is_told_as_before) {
  const auto output = run_lint(fmt::format("lint lint-texts/kinds/{}", GetParam()));
  const std::string text = fmt::format("{}exit code {}\n", output.text, output.exit_code);
  const fs::path golden = texts_dir / "kinds" / (GetParam() + ".golden");
  if (std::getenv("TESSERA_REGENERATE") != nullptr) {
    std::ofstream(golden, std::ios::binary) << text;
  } else {
    EXPECT_EQ(text, read_file(golden));
  }
}

TEST_P(Text, put_right_gives_no_hit) {
  const auto output = run_lint(fmt::format("lint lint-texts/clean/{}", GetParam()));
  EXPECT_EQ(output.exit_code, 0) << output.text;
  EXPECT_EQ(output.text, "1 text: nothing found\n");
}

INSTANTIATE_TEST_SUITE_P(Kinds, Text, testing::ValuesIn(texts_in("kinds")),
                         [](const auto& text) { return name_of(text.param); });

TEST(Verb, ends_with_0_1_or_2_by_the_gravest_hit) {
  const tessera::TestDirectory folder;
  const auto linted = [&](const std::string& text) {
    folder.file("/text", text);
    return run_lint(fmt::format("lint --kind kernel - <{}", folder.real("/text")));
  };
  EXPECT_EQ(linted("quiet\n").exit_code, 0);
  const auto no_op = linted("amd_iommu=on\n");
  EXPECT_EQ(no_op.exit_code, 1) << no_op.text;
  const auto wrong = linted("vfio-pci.ids=1:2, 3:4\n");
  EXPECT_EQ(wrong.exit_code, 2) << wrong.text;
  EXPECT_NE(wrong.text.find("<stdin>:1:1: wrong: "), std::string::npos) << wrong.text;
}

TEST(Verb, says_what_it_cannot_read) {
  EXPECT_EQ(run_lint("lint lint-texts/nothing").exit_code, 10);
  const auto nothing = run_lint("lint");
  EXPECT_EQ(nothing.exit_code, 16) << nothing.text;
  EXPECT_NE(nothing.text.find("standard input"), std::string::npos) << nothing.text;
}

TEST(Verb, prints_json_with_a_schema) {
  const auto output = run_lint("--json lint lint-texts/kinds/kernel/cmdline");
  const auto json = nlohmann::json::parse(output.text, nullptr, false);
  ASSERT_TRUE(json.is_object()) << output.text;
  EXPECT_EQ(json.at("schema"), "tessera/lint/1");
  EXPECT_EQ(json.at("texts").at(0).at("kind"), "kernel");
  ASSERT_FALSE(json.at("hits").empty());
  EXPECT_EQ(json.at("hits").at(0).at("line"), 1);
  const auto rules =
      nlohmann::json::parse(run_lint("--json lint --list-rules").text, nullptr, false);
  ASSERT_TRUE(rules.is_object());
  EXPECT_EQ(rules.at("schema"), "tessera/lint-rules/1");
  EXPECT_EQ(rules.at("rules").size(), tessera::plan::all_lint_rules().size());
}

TEST(Kind, is_recognized_by_the_text_where_the_name_does_not_tell) {
  const std::map<std::string, std::string> kinds = {{"kernel/cmdline", "kernel"},
                                                    {"default/grub", "grub"},
                                                    {"modprobe.d/vfio.conf", "modprobe"},
                                                    {"initramfs-tools/modules", "modules"},
                                                    {"start", "shell"},
                                                    {"options.qemu", "qemu"},
                                                    {"vm.xml", "xml"},
                                                    {"guide.md", "guide"}};
  ASSERT_EQ(texts_in("clean").size(), kinds.size());
  for (const auto& [name, kind] : kinds) {
    const std::string text = read_file(texts_dir / "clean" / name);
    EXPECT_EQ(to_string(tessera::plan::recognize_text(text, "<stdin>")), kind) << name;
    EXPECT_EQ(to_string(tessera::plan::recognize_text(text, "/etc/" + name)), kind) << name;
  }
}

}  // namespace
