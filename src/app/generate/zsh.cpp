// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/generate/documents.h"
#include "base/text.h"

namespace tessera::app::generate {

namespace {

/// Inside '...' of the script and inside _arguments' own [...] and : fields.
std::string field(std::string_view plain) {
  std::string out;
  for (char c : backslashed(plain, "[]:\\")) {
    if (c == '\n') {
      out += ' ';
    } else {
      out += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
    }
  }
  return out;
}

std::string action(const Argument& argument) {
  switch (argument.kind) {
    case ValueKind::none:
      return "";
    case ValueKind::choice:
      return fmt::format("({})", text::join(argument.choices, " "));
    case ValueKind::card:
      return "_tessera_cards";
    case ValueKind::folder:
      return "_files -/";
    case ValueKind::file:
      return "_files";
  }
  return "";
}

std::string specs(const Command& command) {
  std::string out;
  for (const auto& option : command.options) {
    for (const auto& name : option.names) {
      out += fmt::format(" \\\n    '{}[{}]", name, field(short_description(option.description)));
      if (option.kind != ValueKind::none)
        out += fmt::format(":{}:{}", field(text::join(option.choices, " ")), action(option));
      out += '\'';
    }
  }
  int place = 1;
  for (const auto& positional : command.positionals)
    out += fmt::format(" \\\n    '{}{}:{}:{}'", place++, positional.required ? "" : ":",
                       field(positional.names.front()), action(positional));
  return out;
}

std::string function_name(const Command& command) {
  std::string name = "_" + command.path;
  for (char& c : name)
    if (c == ' ' || c == '-') c = '_';
  return name;
}

void add_function(const Command& command, const std::string& global, std::string& out) {
  for (const auto& below : command.commands) add_function(below, global, out);
  // The top command's function is called _tessera, like the file.
  out += fmt::format("{}() {{\n  local -a commands\n  local state line\n", function_name(command));
  auto own = command.path == command.name ? "" : specs(command);
  if (command.commands.empty()) {
    out += fmt::format("  _arguments{}{}\n}}\n\n", own, global);
    return;
  }
  std::string cases;
  out += "  commands=(\n";
  for (const auto& below : command.commands) {
    out += fmt::format("    '{}:{}'\n", below.name, field(short_description(below.description)));
    cases += fmt::format("    {}) {} ;;\n", below.name, function_name(below));
  }
  out += fmt::format(
      "  )\n  _arguments -C{}{} \\\n    '1:command:->command' \\\n    '*::argument:->argument'\n",
      own, global);
  out += "  case $state in\n  command) _describe command commands ;;\n  argument)\n";
  out += fmt::format("    case $line[1] in\n{}    esac ;;\n  esac\n}}\n\n", cases);
}

}  // namespace

Document zsh_completion(const Command& top) {
  std::string out =
      "#compdef tessera\n# made by tessera generate zsh\n\n"
      "_tessera_cards() {\n  local -a cards\n"
      "  cards=(${(f)\"$(tessera generate cards 2>/dev/null | cut -f1)\"})\n"
      "  compadd -a cards\n}\n\n";
  add_function(top, specs(top), out);
  return {"_" + top.name, out + "_tessera \"$@\"\n"};
}

}  // namespace tessera::app::generate
