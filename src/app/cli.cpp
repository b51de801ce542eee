// SPDX-License-Identifier: Apache-2.0
#include "app/cli.h"

#include <CLI/CLI.hpp>

namespace tessera::app::cli {

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::one_of(std::vector<std::string> values) {
  option_->check(CLI::IsMember(std::move(values)));
  return *this;
}

Option& Option::between(double lowest, double highest) {
  option_->check(CLI::Range(lowest, highest));
  return *this;
}

Option& Option::positive() {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Option& Option::show_default() {
  option_->capture_default_str();
  return *this;
}

Option& Option::last_wins() {
  option_->take_last();
  return *this;
}

Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Option& Option::needs(const Option& other) {
  option_->needs(other.option_);
  return *this;
}

Option& Option::hidden() {
  option_->group("");
  return *this;
}

Verb Verb::add_verb(const std::string& name, const std::string& about) {
  return Verb(command_->add_subcommand(name, about));
}

Option Verb::flag(const std::string& names, bool& target, const std::string& about) {
  return Option(command_->add_flag(names, target, about));
}

Option Verb::option(const std::string& names, std::string& target, const std::string& about) {
  return Option(command_->add_option(names, target, about));
}

Option Verb::option(const std::string& names, int& target, const std::string& about) {
  return Option(command_->add_option(names, target, about));
}

Option Verb::option(const std::string& names, std::int64_t& target, const std::string& about) {
  return Option(command_->add_option(names, target, about));
}

Option Verb::option(const std::string& names, std::uint64_t& target, const std::string& about) {
  return Option(command_->add_option(names, target, about));
}

Option Verb::option(const std::string& names, double& target, const std::string& about) {
  return Option(command_->add_option(names, target, about));
}

Option Verb::option(const std::string& names, std::optional<int>& target,
                    const std::string& about) {
  return Option(command_->add_option(names, target, about));
}

Option Verb::option(const std::string& names, std::optional<double>& target,
                    const std::string& about) {
  return Option(command_->add_option(names, target, about));
}

Option Verb::option(const std::string& names, std::vector<std::string>& target,
                    const std::string& about) {
  return Option(command_->add_option(names, target, about));
}

void Verb::needs_verb() {
  command_->require_subcommand(1);
}

void Verb::needs_one_option() {
  command_->require_option(1);
}

void Verb::footer(const std::string& text) {
  command_->footer(text);
}

void Verb::hidden() {
  command_->group("");
}

void Verb::on_call(std::function<void()> action) {
  command_->callback(std::move(action));
}

}  // namespace tessera::app::cli
