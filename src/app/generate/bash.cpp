// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/generate/documents.h"
#include "base/text.h"

namespace tessera::app::generate {

namespace {

// The script's own part. It splits the line itself, because bash breaks words at ':' and '=' and a
// PCI address has two colons. The three tables above it are made from the command tree.
constexpr std::string_view machinery = R"sh(
_tessera() {
  local line=${COMP_LINE:0:COMP_POINT} command=tessera option='' words cur word kind i
  local -i place=0
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  cur=${words[-1]}
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    word=${words[i]}
    if [[ -n $option ]]; then
      option=''
    elif [[ $word == -* ]]; then
      [[ $word != *=* && -n $(_tessera_value "$command" "$word") ]] && option=$word
    elif [[ -n $(_tessera_command "$command $word") ]]; then
      command="$command $word"
      place=0
    else
      place+=1
    fi
  done
  if [[ $cur == --*=* ]]; then
    option=${cur%%=*}
    cur=${cur#*=}
  fi
  if [[ -n $option ]]; then
    kind=$(_tessera_value "$command" "$option")
  elif [[ $cur == -* ]]; then
    kind="words $(_tessera_options "$command")"
  else
    kind=$(_tessera_value "$command" "$place")
    [[ -n $kind ]] || kind="words $(_tessera_commands "$command")"
  fi
  case $kind in
    words*) mapfile -t COMPREPLY < <(compgen -W "${kind#words}" -- "$cur") ;;
    cards) mapfile -t COMPREPLY < <(compgen -W "$(tessera generate cards 2>/dev/null | cut -f1)" -- "$cur") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
  esac
  # Bash replaces only what follows the last colon.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
  fi
}
complete -F _tessera tessera
)sh";

std::string bash_quoted(std::string_view plain) {
  std::string out = "'";
  for (char c : plain) out += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  return out + "'";
}

std::string kind_word(const Argument& argument) {
  switch (argument.kind) {
    case ValueKind::none:
      return "";
    case ValueKind::choice:
      return "words " + text::join(argument.choices, " ");
    case ValueKind::card:
      return "cards";
    case ValueKind::folder:
      return "folder";
    case ValueKind::file:
      return "file";
  }
  return "";
}

/// The four tables, as lines of shell `case` statements.
struct Tables {
  std::string command;   ///< is "tessera lab up" a command?
  std::string commands;  ///< names of the commands below one
  std::string options;   ///< its options, and the global ones
  std::string value;     ///< what an option or the n-th positional takes
};

std::string option_names(const Command& command) {
  std::string out;
  for (const auto& option : command.options) out += ' ' + text::join(option.names, " ");
  return out;
}

void add_values(const Command& command, Tables& tables) {
  for (const auto& option : command.options) {
    if (option.kind == ValueKind::none) continue;
    for (const auto& name : option.names) {
      auto key = bash_quoted(command.path + ' ' + name);
      // Options of the top level may stand after any command.
      if (command.path == command.name) key = fmt::format("*{}", bash_quoted(" " + name));
      tables.value += fmt::format("    {}) echo {} ;;\n", key, bash_quoted(kind_word(option)));
    }
  }
  int place = 0;
  for (const auto& positional : command.positionals)
    tables.value += fmt::format("    '{} {}') echo {} ;;\n", command.path, place++,
                                bash_quoted(kind_word(positional)));
}

void add_command(const Command& command, const std::string& global_options, Tables& tables) {
  for (const auto& below : command.commands) add_command(below, global_options, tables);
  add_values(command, tables);
  std::string names;
  for (const auto& below : command.commands) names += ' ' + below.name;
  auto path = bash_quoted(command.path);
  tables.command += fmt::format("    {}) echo yes ;;\n", path);
  tables.commands += fmt::format("    {}) echo {} ;;\n", path, bash_quoted(names));
  auto own = command.path == command.name ? "" : option_names(command);
  tables.options += fmt::format("    {}) echo {} ;;\n", path, bash_quoted(own + global_options));
}

std::string function(std::string_view name, std::string_view subject, std::string_view rows) {
  return fmt::format("{}() {{\n  case {} in\n{}  esac\n}}\n", name, subject, rows);
}

}  // namespace

Document bash_completion(const Command& top) {
  Tables tables;
  add_command(top, option_names(top), tables);
  std::string out = "# bash completion of tessera; made by tessera generate bash\n";
  out += function("_tessera_command", "$1", tables.command);
  out += function("_tessera_commands", "$1", tables.commands);
  out += function("_tessera_options", "$1", tables.options);
  out += function("_tessera_value", "\"$1 $2\"", tables.value);
  return {top.name, out + std::string(machinery)};
}

}  // namespace tessera::app::generate
