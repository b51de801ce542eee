// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

/// What the verbs need of CLI11, and nothing of its headers: each source that includes them
/// compiles for seconds longer, and every verb is a source of its own.
namespace tessera::app::cli {

/// An option, flag or positional that was added; the parser owns it.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option& required();
  Option& one_of(std::vector<std::string> values);
  Option& between(double lowest, double highest);
  Option& positive();
  Option& show_default();  ///< what the target holds now is the default, and is told in --help
  Option& last_wins();     ///< may be given again; otherwise that is an error
  Option& excludes(const Option& other);
  Option& needs(const Option& other);
  Option& hidden();  ///< in no help, manual page or completion

 private:
  CLI::Option* option_;
};

/// A command: the program itself, a verb, or a verb's verb. A handle; the parser owns the command,
/// and what is parsed goes into the targets, which must live as long.
class Verb {
 public:
  explicit Verb(CLI::App* command) : command_(command) {}

  Verb add_verb(const std::string& name, const std::string& about);
  /// `names`: "--to", "-n,--dry-run", or "card" for a positional.
  Option flag(const std::string& names, bool& target, const std::string& about);
  Option option(const std::string& names, std::string& target, const std::string& about);
  Option option(const std::string& names, int& target, const std::string& about);
  Option option(const std::string& names, std::int64_t& target, const std::string& about);
  Option option(const std::string& names, std::uint64_t& target, const std::string& about);
  Option option(const std::string& names, double& target, const std::string& about);
  Option option(const std::string& names, std::optional<int>& target, const std::string& about);
  Option option(const std::string& names, std::optional<double>& target, const std::string& about);
  Option option(const std::string& names, std::vector<std::string>& target,
                const std::string& about);

  void needs_verb();        ///< one of its verbs must be given
  void needs_one_option();  ///< exactly one of its options must be given
  void footer(const std::string& text);
  void hidden();
  void on_call(std::function<void()> action);

  [[nodiscard]] const CLI::App& app() const { return *command_; }

 private:
  CLI::App* command_;
};

}  // namespace tessera::app::cli
