// SPDX-License-Identifier: Apache-2.0
#include "model/plan.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::model {

std::string_view to_string(Expectation::What what) {
  switch (what) {
    case Expectation::What::link_name:
      return "link_name";
    case Expectation::What::link_name_is_not:
      return "link_name_is_not";
    case Expectation::What::text:
      return "text";
    case Expectation::What::module:
      return "module";
    case Expectation::What::process:
      return "process";
    case Expectation::What::unit:
      return "unit";
    case Expectation::What::file:
      return "file";
    case Expectation::What::file_text:
      return "file_text";
    case Expectation::What::file_text_is_not:
      return "file_text_is_not";
    case Expectation::What::owner:
      return "owner";
    case Expectation::What::tool_says:
      return "tool_says";
    case Expectation::What::tool_says_not:
      return "tool_says_not";
  }
  return "text";
}

std::string_view to_string(Step::Action action) {
  switch (action) {
    case Step::Action::write:
      return "write";
    case Step::Action::load_module:
      return "load_module";
    case Step::Action::unload_module:
      return "unload_module";
    case Step::Action::stop_process:
      return "stop_process";
    case Step::Action::stop_unit:
      return "stop_unit";
    case Step::Action::start_unit:
      return "start_unit";
    case Step::Action::write_file:
      return "write_file";
    case Step::Action::remove_file:
      return "remove_file";
    case Step::Action::remove_folder:
      return "remove_folder";
    case Step::Action::run_tool:
      return "run_tool";
    case Step::Action::claim:
      return "claim";
    case Step::Action::disown:
      return "disown";
  }
  return "write";
}

std::string in_words(const Expectation& expectation) {
  const std::string& path = expectation.path;
  const std::string& value = expectation.value;
  bool yes = value == "yes";
  switch (expectation.what) {
    case Expectation::What::link_name:
      return value.empty() ? fmt::format("there is no {}", path)
                           : fmt::format("{} leads to {}", path, value);
    case Expectation::What::link_name_is_not:
      return value.empty() ? fmt::format("there is {}", path)
                           : fmt::format("{} does not lead to {}", path, value);
    case Expectation::What::text:
      return value.empty() ? fmt::format("{} is empty", path)
                           : fmt::format("{} reads '{}'", path, text::printable(value));
    case Expectation::What::module:
      return fmt::format("module {} is {}", path, yes ? "present" : "absent");
    case Expectation::What::process:
      return fmt::format("process {} is {}", path, yes ? "running" : "gone");
    case Expectation::What::unit:
      return fmt::format("unit {} is {}", path, yes ? "active" : "inactive");
    case Expectation::What::file:
      return fmt::format("there is {} {}", yes ? "a file" : "no", path);
    case Expectation::What::file_text:
      return fmt::format("{} has the {} bytes that the plan names", path, value.size());
    case Expectation::What::file_text_is_not:
      return fmt::format("{} has not the {} bytes that the plan names", path, value.size());
    case Expectation::What::owner:
      return value.empty() ? fmt::format("slice {} belongs to nobody", path)
                           : fmt::format("slice {} belongs to {}", path, value);
    case Expectation::What::tool_says:
      return fmt::format("`{}` says {}", path, text::printable(value));
    case Expectation::What::tool_says_not:
      return fmt::format("`{}` does not say {}", path, text::printable(value));
  }
  return path;
}

std::string in_words(const Step& step) {
  switch (step.action) {
    case Step::Action::write: {
      auto text = text::trim(step.text);
      return text.empty() ? fmt::format("write an empty line to {}", step.path)
                          : fmt::format("write '{}' to {}", text::printable(text), step.path);
    }
    case Step::Action::load_module:
      return fmt::format("load module {}", step.path);
    case Step::Action::unload_module:
      return fmt::format("unload module {} if nothing uses it", step.path);
    case Step::Action::stop_process:
      return fmt::format("stop process {}", step.path);
    case Step::Action::stop_unit:
      return fmt::format("stop unit {}", step.path);
    case Step::Action::start_unit:
      return fmt::format("start unit {}", step.path);
    case Step::Action::write_file:
      return fmt::format("write the file {} ({} bytes)", step.path, step.text.size());
    case Step::Action::remove_file:
      return fmt::format("remove the file {}", step.path);
    case Step::Action::remove_folder:
      return fmt::format("remove the folder {} if nothing is in it", step.path);
    case Step::Action::run_tool:
      return fmt::format("run {} {}", step.path, step.text);
    case Step::Action::claim:
      return fmt::format("record that slice {} belongs to {}", step.path, step.text);
    case Step::Action::disown:
      return fmt::format("record that slice {} belongs to {} no more", step.path, step.text);
  }
  return step.path;
}

}  // namespace tessera::model
