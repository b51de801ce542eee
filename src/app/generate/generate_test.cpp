// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "app/command_line.h"
#include "app/generate/documents.h"
#include "app/verb.h"

namespace tessera::app::generate {
namespace {

/// A parser with one of each thing that the documents treat in a way of its own.
struct SmallParser {
  SmallParser() {
    parser.footer("  tool give 01:00.0 -- it's \"quoted\"\n  .dotted line");
    auto* give = parser.add_subcommand("give", "give a card away. With more words.\nAnd a line");
    give->add_option("card", card, "which card")->required();
    give->add_option("--to", to, "who gets it [really]")
        ->required()
        ->check(CLI::IsMember({"vm", "host"}));
    give->add_option("-n,--count", count, "how many | times")->capture_default_str();
    give->add_flag("--dry-run", dry_run, "it's only printed");
    give->add_option("--secret", secret, "not for people")->group("");
    auto* lab = parser.add_subcommand("lab", "the virtual host");
    lab->require_subcommand(1);
    auto* up = lab->add_subcommand("up", "start it");
    up->add_option("spec", spec, "its description");
    parser.add_subcommand("hidden", "not for people")->group("");
  }

  std::string card, to, spec, secret;
  int count = 3;
  bool dry_run = false;
  CLI::App parser{"A tool.", "tool"};
};

const Argument& option_named(const Command& command, const std::string& name) {
  for (const auto& option : command.options)
    if (std::ranges::find(option.names, name) != option.names.end()) return option;
  throw std::runtime_error("no option " + name);
}

std::string man_text(const Command& top) {
  std::string all;
  for (const auto& page : man_pages(top, "1.2")) all += page.text;
  return all;
}

TEST(Describe, copies_names_values_and_requirements) {
  SmallParser small;
  auto top = describe(small.parser);
  ASSERT_EQ(top.commands.size(), 2U);
  const auto& give = top.commands[0];
  EXPECT_EQ(give.path, "tool give");
  ASSERT_EQ(give.positionals.size(), 1U);
  EXPECT_EQ(give.positionals[0].names.front(), "CARD");
  EXPECT_EQ(give.positionals[0].kind, ValueKind::card);
  EXPECT_EQ(option_named(give, "--to").choices, (std::vector<std::string>{"vm", "host"}));
  EXPECT_TRUE(option_named(give, "--to").required);
  EXPECT_EQ(spelling(option_named(give, "--count")), "-n, --count COUNT");
  EXPECT_EQ(option_named(give, "--count").default_text, "3");
  EXPECT_EQ(option_named(give, "--dry-run").kind, ValueKind::none);
  EXPECT_EQ(top.commands[1].commands[0].path, "tool lab up");
}

TEST(Describe, leaves_out_what_is_hidden) {
  SmallParser small;
  auto top = describe(small.parser);
  auto everything = man_text(top) + bash_completion(top).text + zsh_completion(top).text +
                    fish_completion(top).text + markdown_reference(top).text;
  EXPECT_EQ(everything.find("not for people"), std::string::npos);
  EXPECT_EQ(everything.find("--secret"), std::string::npos);
}

TEST(Synopsis, spells_out_what_must_be_given) {
  SmallParser small;
  auto top = describe(small.parser);
  EXPECT_EQ(synopsis(top.commands[0]), "tool give [OPTIONS] --to {vm,host} CARD");
  EXPECT_EQ(synopsis(top.commands[1].commands[0]), "tool lab up [OPTIONS] [SPEC]");
}

TEST(ManPages, escape_what_roff_would_act_on) {
  SmallParser small;
  auto pages = man_pages(describe(small.parser), "1.2");
  ASSERT_EQ(pages.size(), 3U);
  EXPECT_EQ(pages[0].name, "tool.1");
  EXPECT_EQ(pages[1].name, "tool-give.1");
  EXPECT_NE(pages[0].text.find("\n  .dotted line"), std::string::npos);
  EXPECT_NE(pages[1].text.find("\\-\\-dry\\-run"), std::string::npos);
  EXPECT_NE(pages[1].text.find("\nit's only printed"), std::string::npos);
  EXPECT_NE(pages[2].text.find(".SS \"tool lab up [OPTIONS] [SPEC]\""), std::string::npos);
}

TEST(MarkdownReference, escapes_what_ends_a_table_cell) {
  SmallParser small;
  auto text = markdown_reference(describe(small.parser)).text;
  EXPECT_NE(text.find("how many \\| times (default: `3`)"), std::string::npos);
}

TEST(ExitCodes, are_ascending_and_each_has_a_meaning) {
  auto codes = exit_codes();
  ASSERT_GE(codes.size(), 13U);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    EXPECT_FALSE(codes[i].name.empty()) << codes[i].code;
    EXPECT_FALSE(codes[i].meaning.empty()) << codes[i].code;
    if (i > 0) {
      EXPECT_LT(codes[i - 1].code, codes[i].code);
    }
  }
}

TEST(ExitCodes, stand_in_the_documentation_as_they_are) {
  std::ifstream file(TESSERA_TESTS_DIR "/../docs/exit-codes.md");
  std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const auto& code : exit_codes()) {
    auto row = fmt::format("| {} | {} |", code.code, code.name);
    EXPECT_NE(page.find(row), std::string::npos) << "docs/exit-codes.md lacks " << row;
  }
}

/// Every command and option of `command` and below it, as `spelled` writes them, is in `text`.
void expect_all_in(const std::string& text, const Command& command,
                   std::string (*spelled)(const std::string&)) {
  for (const auto& option : command.options)
    for (const auto& name : option.names)
      EXPECT_NE(text.find(spelled(name)), std::string::npos) << command.path << ' ' << name;
  for (const auto& below : command.commands) {
    EXPECT_NE(text.find(below.name), std::string::npos) << below.path;
    expect_all_in(text, below, spelled);
  }
}

TEST(Verbs, a_parser_of_one_verb_has_it_under_the_name_that_finds_it) {
  for (const auto& verb : all_verbs()) {
    Session session;
    const auto parser = make_parser(session, verb);
    const auto verbs = parser->get_subcommands([](const CLI::App*) { return true; });
    ASSERT_EQ(verbs.size(), 1U) << verb.name;
    EXPECT_EQ(verbs.front()->get_name(), verb.name);
  }
}

TEST(Documents, tell_every_visible_command_and_option_of_the_shipped_parser) {
  Session session;
  auto parser = make_parser(session);
  auto top = describe(*parser);
  EXPECT_GE(top.commands.size(), 10U);
  auto as_it_is = [](const std::string& name) { return name; };
  auto in_roff = [](const std::string& name) {
    std::string out;
    for (char c : name) out += c == '-' ? "\\-" : std::string(1, c);
    return out;
  };
  auto in_fish = [](const std::string& name) {
    return name.starts_with("--") ? "-l " + name.substr(2) : "-s " + name.substr(1);
  };
  expect_all_in(man_text(top), top, in_roff);
  expect_all_in(bash_completion(top).text, top, as_it_is);
  expect_all_in(zsh_completion(top).text, top, as_it_is);
  expect_all_in(fish_completion(top).text, top, in_fish);
  expect_all_in(markdown_reference(top).text, top, as_it_is);
}

}  // namespace
}  // namespace tessera::app::generate
