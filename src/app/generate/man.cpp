// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/generate/documents.h"
#include "base/text.h"

namespace tessera::app::generate {

namespace {

/// Text as man(7) wants it: a hyphen that can be copied, no line that looks like a request.
std::string roff(std::string_view plain) {
  std::string out;
  bool line_start = true;
  for (char c : plain) {
    if (line_start && (c == '.' || c == '\'')) out += R"(\&)";
    line_start = c == '\n';
    if (c == '\\') {
      out += R"(\e)";
    } else if (c == '-') {
      out += R"(\-)";
    } else {
      out += c;
    }
  }
  return out;
}

/// A request's one argument: in quotes, with those inside doubled.
std::string roff_quoted(std::string_view plain) {
  std::string out = "\"";
  for (char c : roff(plain)) out += c == '"' ? std::string(R"(\(dq)") : std::string(1, c);
  return out + '"';
}

std::string as_laid_out(std::string_view lines) {
  return fmt::format(".nf\n{}\n.fi\n", roff(text::trim(lines)));
}

std::string item(std::string_view tag, std::string_view what) {
  return fmt::format(".TP\n.B {}\n{}\n", roff_quoted(tag), roff(what));
}

std::string item(const Argument& argument) {
  auto what = argument.description;
  if (!argument.default_text.empty()) what += fmt::format(" (default: {})", argument.default_text);
  if (argument.required && argument.names.front().starts_with('-')) what += " (required)";
  return item(spelling(argument), what);
}

std::string arguments(const Command& command) {
  std::string out;
  for (const auto& positional : command.positionals) out += item(positional);
  for (const auto& option : command.options) out += item(option);
  return out;
}

/// The commands below a verb share its page, with a sub-section each.
std::string commands_below(const Command& verb) {
  std::string out;
  for (const auto& command : verb.commands) {
    out += fmt::format(".SS {}\n{}\n", roff_quoted(synopsis(command)), roff(command.description));
    out += arguments(command);
    if (!command.footer.empty()) out += ".PP\n" + as_laid_out(command.footer);
    out += commands_below(command);
  }
  return out;
}

std::string exit_status() {
  std::string out = ".SH EXIT STATUS\n";
  for (const auto& code : exit_codes())
    out += item(std::to_string(code.code), fmt::format("{}: {}", code.name, code.meaning));
  return out;
}

/// What whatis(1) shows: the first sentence, up to a colon, without the program's name.
std::string one_line_about(const Command& command) {
  auto line = short_description(command.description);
  line = line.substr(0, line.find(": "));
  constexpr std::string_view name = "Tessera ";
  return line.starts_with(name) ? line.substr(name.size()) : line;
}

std::string start_of(const std::string& page, const Command& command, const std::string& version) {
  std::string title = page;
  for (char& c : title) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return fmt::format(
      ".\\\" made by tessera generate man\n"
      ".TH {} 1 \"\" {} \"Tessera manual\"\n"
      ".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.B {}\n.SH DESCRIPTION\n{}\n",
      roff_quoted(title), roff_quoted("tessera " + version), roff(page),
      roff(one_line_about(command)), roff_quoted(synopsis(command)), roff(command.description));
}

Document verb_page(const Command& verb, const Command& top, const std::string& version) {
  auto page = top.name + "-" + verb.name;
  auto out = start_of(page, verb, version);
  out += ".SH OPTIONS\n" + arguments(verb);
  out += ".PP\nThe options of\n.BR tessera (1)\nmay be given too.\n";
  if (!verb.commands.empty()) out += ".SH COMMANDS\n" + commands_below(verb);
  if (!verb.footer.empty()) out += ".SH EXAMPLES\n" + as_laid_out(verb.footer);
  out += exit_status() + ".SH SEE ALSO\n.BR tessera (1)\n";
  return {page + ".1", out};
}

}  // namespace

std::vector<Document> man_pages(const Command& top, const std::string& version) {
  auto out = start_of(top.name, top, version);
  out += ".SH COMMANDS\n";
  for (const auto& verb : top.commands)
    out += item(synopsis(verb).substr(top.name.size() + 1), verb.description);
  out += ".SH OPTIONS\n" + arguments(top);
  if (!top.footer.empty()) out += ".SH EXAMPLES\n" + as_laid_out(top.footer);
  out += exit_status() + ".SH SEE ALSO\n";
  for (const auto& verb : top.commands)
    out += fmt::format(".BR {}\\-{} (1){}\n", top.name, roff(verb.name),
                       &verb == &top.commands.back() ? "" : ",");
  std::vector<Document> pages = {{top.name + ".1", out}};
  for (const auto& verb : top.commands) pages.push_back(verb_page(verb, top, version));
  return pages;
}

}  // namespace tessera::app::generate
