// SPDX-License-Identifier: Apache-2.0
#include "app/generate/command.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/verb.h"
#include "base/text.h"

namespace tessera::app::generate {

namespace {

std::string upper(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, '_', '-');
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

/// CLI11 tells a value's type and its validators in one text, "TEXT:{vm,host}".
std::vector<std::string> choices_in(std::string_view type_name) {
  auto open = type_name.find('{');
  auto close = type_name.find('}', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  std::vector<std::string> choices;
  for (auto piece : text::split(type_name.substr(open + 1, close - open - 1), ','))
    choices.emplace_back(text::trim(piece));
  return choices;
}

ValueKind kind_of(const Argument& argument, std::string_view bare_name) {
  if (!argument.choices.empty()) return ValueKind::choice;
  if (bare_name == "card") return ValueKind::card;
  if (bare_name == "state" || bare_name == "directory" || bare_name == "folder")
    return ValueKind::folder;
  return ValueKind::file;
}

Argument describe_option(const CLI::Option& option) {
  Argument made;
  std::string bare = option.get_lnames().empty() ? option.get_name(true) : option.get_lnames()[0];
  for (const auto& name : option.get_snames()) made.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) made.names.push_back("--" + name);
  if (made.names.empty()) made.names.push_back(upper(bare));
  made.description = option.get_description();
  made.required = option.get_required();
  if (option.get_items_expected_max() == 0) return made;
  made.choices = choices_in(option.get_type_name());
  made.kind = kind_of(made, bare);
  made.value_name =
      made.choices.empty() ? upper(bare) : fmt::format("{{{}}}", text::join(made.choices, ","));
  made.default_text = option.get_default_str();
  return made;
}

bool is_visible(const CLI::App* command) {
  return !command->get_group().empty();
}

Command describe_below(const CLI::App& parser, const std::string& above) {
  Command made;
  made.name = parser.get_name();
  made.path = above.empty() ? made.name : above + ' ' + made.name;
  made.description = parser.get_description();
  made.footer = parser.get_footer();
  for (const CLI::Option* option : parser.get_options({})) {
    if (option->get_group().empty()) continue;
    auto& list = option->nonpositional() ? made.options : made.positionals;
    list.push_back(describe_option(*option));
  }
  for (const CLI::App* command : parser.get_subcommands(is_visible))
    made.commands.push_back(describe_below(*command, made.path));
  return made;
}

std::string_view meaning_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::not_found:
      return "the file, device, card or plan is not there";
    case ErrorKind::denied:
      return "permission is missing: not root, a read-only file system, a lockdown";
    case ErrorKind::busy:
      return "somebody uses it now; trying later can work";
    case ErrorKind::stale:
      return "the host changed since it was looked at; run the command again";
    case ErrorKind::timeout:
      return "the kernel did not answer in time";
    case ErrorKind::unsupported:
      return "this kernel, driver or host cannot do it";
    case ErrorKind::invalid:
      return "the input is wrong; trying again cannot work";
    case ErrorKind::conflict:
      return "it would break isolation or take what belongs to another owner";
    case ErrorKind::io:
      return "the kernel or the disk failed";
  }
  return "";
}

}  // namespace

Command describe(const CLI::App& parser) {
  return describe_below(parser, {});
}

std::string synopsis(const Command& command) {
  std::string out = command.path;
  auto is_required = [](const Argument& option) { return option.required; };
  if (std::ranges::any_of(command.options, [&](const auto& o) { return !is_required(o); }))
    out += " [OPTIONS]";
  for (const auto& option : command.options)
    if (is_required(option)) out += ' ' + spelling(option);
  for (const auto& positional : command.positionals)
    out += positional.required ? ' ' + positional.names.front()
                               : fmt::format(" [{}]", positional.names.front());
  if (!command.commands.empty()) out += " COMMAND";
  return out;
}

std::string spelling(const Argument& argument) {
  auto out = text::join(argument.names, ", ");
  const bool is_option = argument.names.front().starts_with('-');
  if (is_option && !argument.value_name.empty()) out += ' ' + argument.value_name;
  return out;
}

std::vector<ExitCode> exit_codes() {
  std::vector<ExitCode> codes = {
      {exit_ok, "ok", "it is done; doctor: nothing stands in the way; lint: nothing found"},
      {exit_warnings, "warnings", "doctor: warnings, no errors; lint: obsolete or no-op hits only"},
      {exit_errors, "errors", "doctor: errors; lint: wrong or dangerous hits"},
  };
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::io); ++kind) {
    auto which = static_cast<ErrorKind>(kind);
    codes.push_back({10 + kind, std::string(to_string(which)), std::string(meaning_of(which))});
  }
  codes.push_back({exit_usage, "usage", "the command line is wrong"});
  return codes;
}

std::string backslashed(std::string_view text, std::string_view special) {
  std::string out;
  for (char c : text) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string short_description(std::string_view description) {
  std::string line(text::trim(description));
  std::ranges::replace(line, '\n', ' ');
  line = line.substr(0, line.find(". "));
  if (line.ends_with('.')) line.pop_back();
  return line;
}

}  // namespace tessera::app::generate
