// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/generate/documents.h"
#include "base/text.h"

namespace tessera::app::generate {

namespace {

/// Text for a table cell: no bar, no line break.
std::string cell(std::string_view plain) {
  std::string out;
  for (char c : backslashed(plain, "|<")) out += c == '\n' ? ' ' : c;
  return out;
}

void add_arguments(const Command& command, std::string& out) {
  if (command.options.empty() && command.positionals.empty()) return;
  out += "| argument | what it does |\n|---|---|\n";
  auto add = [&](const Argument& argument) {
    auto what = cell(argument.description);
    if (!argument.default_text.empty())
      what += fmt::format(" (default: `{}`)", argument.default_text);
    out += fmt::format("| `{}` | {} |\n", backslashed(spelling(argument), "|"), what);
  };
  for (const auto& positional : command.positionals) add(positional);
  for (const auto& option : command.options) add(option);
  out += '\n';
}

void add_command(const Command& command, std::string& out) {
  out += fmt::format("## {}\n\n{}\n\n    {}\n\n", command.path, command.description,
                     synopsis(command));
  add_arguments(command, out);
  if (!command.footer.empty()) out += fmt::format("```\n{}\n```\n\n", text::trim(command.footer));
  for (const auto& below : command.commands) add_command(below, out);
}

}  // namespace

Document markdown_reference(const Command& top) {
  std::string out = "# Commands\n\n<!-- made by tessera generate markdown -->\n\n";
  add_command(top, out);
  out += "## Exit codes\n\n| code | name | meaning |\n|---|---|---|\n";
  for (const auto& code : exit_codes())
    out += fmt::format("| {} | {} | {} |\n", code.code, code.name, cell(code.meaning));
  return {"commands.md", out};
}

}  // namespace tessera::app::generate
