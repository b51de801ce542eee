// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/generate/documents.h"
#include "base/text.h"

namespace tessera::app::generate {

namespace {

std::string fish_quoted(std::string_view plain) {
  std::string out = backslashed(plain, "'\\");
  for (char& c : out)
    if (c == '\n') c = ' ';
  return "'" + out + "'";
}

/// True once the words of `path` after "tessera" were typed.
std::string seen(const Command& command) {
  std::string out;
  for (auto word : text::words(command.path).empty() ? std::vector<std::string_view>{}
                                                     : text::words(command.path)) {
    if (word == "tessera") continue;
    if (!out.empty()) out += "; and ";
    out += fmt::format("__fish_seen_subcommand_from {}", word);
  }
  return out;
}

std::string value_of(const Argument& argument) {
  switch (argument.kind) {
    case ValueKind::none:
      return "";
    case ValueKind::choice:
      return fmt::format(" -x -a {}", fish_quoted(text::join(argument.choices, " ")));
    case ValueKind::card:
      return " -x -a '(tessera generate cards 2>/dev/null)'";
    case ValueKind::folder:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::file:
      return " -r -F";
  }
  return "";
}

std::string condition(const Command& command) {
  auto words = seen(command);
  return words.empty() ? "" : fmt::format(" -n {}", fish_quoted(words));
}

void add_arguments(const Command& command, std::string& out) {
  for (const auto& option : command.options) {
    out += fmt::format("complete -c tessera{}", condition(command));
    for (const auto& name : option.names)
      out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    out += fmt::format("{} -d {}\n", value_of(option),
                       fish_quoted(short_description(option.description)));
  }
  for (const auto& positional : command.positionals)
    out += fmt::format("complete -c tessera{}{}\n", condition(command), value_of(positional));
}

void add_command(const Command& command, std::string& out) {
  add_arguments(command, out);
  std::string names;
  for (const auto& below : command.commands) names += ' ' + below.name;
  auto when = seen(command);
  auto offer = when.empty() ? std::string("__fish_use_subcommand")
                            : fmt::format("{}; and not __fish_seen_subcommand_from{}", when, names);
  for (const auto& below : command.commands) {
    out += fmt::format("complete -c tessera -f -n {} -a {} -d {}\n", fish_quoted(offer), below.name,
                       fish_quoted(short_description(below.description)));
    add_command(below, out);
  }
}

}  // namespace

Document fish_completion(const Command& top) {
  std::string out = "# made by tessera generate fish\ncomplete -c tessera -f\n";
  add_command(top, out);
  return {top.name + ".fish", out};
}

}  // namespace tessera::app::generate
