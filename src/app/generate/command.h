// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace tessera::app::generate {

/// What a shell offers for a value.
enum class ValueKind {
  none,    ///< a flag: there is no value
  choice,  ///< one of `choices`
  card,    ///< a card of this host, from `tessera generate cards`
  folder,  ///< a directory
  file,    ///< a file, or anything else
};

/// One option or positional of a command, as people see it.
struct Argument {
  std::vector<std::string> names;  ///< "--to", "-t"; a positional has its one name, "CARD"
  ValueKind kind = ValueKind::none;
  std::string value_name;            ///< what the value is called, "CARD", "N"; empty for a flag
  std::vector<std::string> choices;  ///< the only legal values, if there are few
  std::string description;
  std::string default_text;  ///< empty when there is none worth saying
  bool required = false;
};

/// One command with what it takes and its sub-commands: a plain copy of the parser's tree without
/// what is hidden there. Manual pages, completions and the printed reference are made from it, so
/// that they cannot tell another story than --help.
struct Command {
  std::string name;  ///< "assign"
  std::string path;  ///< "tessera assign"
  std::string description;
  std::string footer;  ///< examples, as they are laid out in --help
  std::vector<Argument> options;
  std::vector<Argument> positionals;
  std::vector<Command> commands;
};

/// Copies the tree below `parser`.
Command describe(const CLI::App& parser);

/// "tessera assign [OPTIONS] CARD", the options that must be given spelled out.
std::string synopsis(const Command& command);

/// "--to {vm,host}", "-h, --help".
std::string spelling(const Argument& argument);

/// A number that the process ends with, its name and what it means.
struct ExitCode {
  int code = 0;
  std::string name;
  std::string meaning;
};
/// All of them, in ascending order (docs/exit-codes.md is the same table).
std::vector<ExitCode> exit_codes();

/// `text` with each of the bytes in `special` preceded by a backslash.
std::string backslashed(std::string_view text, std::string_view special);

/// The description's first sentence on one line, for places with little room.
std::string short_description(std::string_view description);

}  // namespace tessera::app::generate
