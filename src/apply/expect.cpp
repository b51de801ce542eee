// SPDX-License-Identifier: Apache-2.0
#include "apply/expect.h"

#include <optional>
#include <regex>

#include <fcntl.h>
#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "kernel/modules.h"
#include "kernel/tools.h"

namespace tessera::apply {

namespace {

namespace files = kernel::files;
using What = model::Expectation::What;

constexpr Milliseconds tool_time{30'000};

/// The last piece of the link at `path`; empty when there is no such link.
std::string link_name(const kernel::Root& root, const std::string& path) {
  auto target = root.read_link(path);
  if (!target) return {};
  return target->substr(target->rfind('/') + 1);
}

/// A zombie still has its directory, but no cgroup line and nothing open any more.
bool process_runs(const kernel::Root& root, const std::string& pid) {
  auto number = text::to_number(pid);
  return number && root.exists(files::process(static_cast<int>(*number), "comm"));
}

/// A file that cannot be looked at is neither there nor gone.
bool is_gone(const kernel::Root& root, const std::string& path) {
  auto entry = root.open_file(path, O_PATH | O_NOFOLLOW);
  return !entry && entry.error().kind == ErrorKind::not_found;
}

bool has_text(const kernel::Root& root, const model::Expectation& expectation) {
  auto seen = root.read(expectation.path);
  return seen && *seen == expectation.value;
}

/// A file that cannot be read may have the text.
bool surely_has_other_text(const kernel::Root& root, const model::Expectation& expectation) {
  auto seen = root.read(expectation.path);
  return seen ? *seen != expectation.value : seen.error().kind == ErrorKind::not_found;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t enough = 80;
  return text.size() <= enough ? text::printable(text)
                               : text::printable(text.substr(0, enough)) + "...";
}

bool unit_runs(const kernel::Root& root, const std::string& unit) {
  auto entries = root.list(files::proc);
  if (!entries) return false;
  for (const auto& entry : *entries) {
    auto pid = text::to_number(entry);
    if (!pid) continue;
    auto cgroup = root.read(files::process(static_cast<int>(*pid), "cgroup"));
    if (cgroup && text::trim(*cgroup).ends_with("/" + unit)) return true;
  }
  return false;
}

/// A program's path and its arguments, with blanks between them.
Result<kernel::ToolOutcome> run_words(const kernel::Root& root, std::string_view line) {
  const auto words = text::words(line);
  if (words.empty()) return fail(ErrorKind::invalid, "expectation", "names no program");
  return kernel::run_tool(root, std::string(words.front()), {words.begin() + 1, words.end()},
                          Deadline::in(tool_time));
}

std::optional<std::regex> compiled(const std::string& pattern) {
  try {
    return std::regex(pattern);
  } catch (const std::regex_error&) {
    return std::nullopt;
  }
}

/// The first line's match; nothing where no line matches. Lines are short: the matcher's depth
/// grows with them.
std::optional<std::smatch> first_match(const std::vector<std::string>& lines,
                                       const std::regex& pattern) {
  constexpr std::size_t longest = 4096;
  std::smatch match;
  for (const auto& line : lines) {
    if (line.size() <= longest && std::regex_search(line, match, pattern)) return match;
  }
  return std::nullopt;
}

std::vector<std::string> lines_of(const kernel::ToolOutcome& outcome) {
  const auto lines = text::lines(outcome.output);
  return {lines.begin(), lines.end()};
}

bool says(const kernel::ToolOutcome& outcome, const std::regex& pattern) {
  return first_match(lines_of(outcome), pattern).has_value();
}

bool tool_says(const kernel::Root& root, const model::Expectation& expectation) {
  const auto pattern = compiled(expectation.value);
  const auto outcome = run_words(root, expectation.path);
  return pattern && outcome && outcome->exit_code == 0 && says(*outcome, *pattern);
}

/// A program that does not work may have it to say.
bool tool_surely_says_not(const kernel::Root& root, const model::Expectation& expectation) {
  constexpr int nothing_found = 6;
  const auto pattern = compiled(expectation.value);
  const auto outcome = run_words(root, expectation.path);
  return pattern && outcome && (outcome->exit_code == 0 || outcome->exit_code == nothing_found) &&
         !says(*outcome, *pattern);
}

}  // namespace

bool holds(const kernel::Root& root, const Journal& journal,
           const model::Expectation& expectation) {
  switch (expectation.what) {
    case What::link_name:
      return link_name(root, expectation.path) == expectation.value;
    case What::link_name_is_not:
      return link_name(root, expectation.path) != expectation.value;
    case What::text: {
      auto seen = root.read(expectation.path);
      return seen && text::trim(*seen) == expectation.value;
    }
    case What::module:
      return kernel::module_present(root, expectation.path) == (expectation.value == "yes");
    case What::process:
      return process_runs(root, expectation.path) == (expectation.value == "yes");
    case What::unit:
      return unit_runs(root, expectation.path) == (expectation.value == "yes");
    case What::file:
      return expectation.value == "yes" ? root.exists(expectation.path)
                                        : is_gone(root, expectation.path);
    case What::file_text:
      return has_text(root, expectation);
    case What::file_text_is_not:
      return surely_has_other_text(root, expectation);
    case What::owner: {
      auto owner = journal.owner_of(expectation.path);
      return owner && *owner == expectation.value;
    }
    case What::tool_says:
      return tool_says(root, expectation);
    case What::tool_says_not:
      return tool_surely_says_not(root, expectation);
  }
  return false;
}

std::string seen_instead(const kernel::Root& root, const Journal& journal,
                         const model::Expectation& expectation) {
  switch (expectation.what) {
    case What::link_name:
    case What::link_name_is_not: {
      const auto name = link_name(root, expectation.path);
      return name.empty() ? "there is no such link" : fmt::format("it leads to {}", name);
    }
    case What::text: {
      auto seen = root.read(expectation.path);
      if (!seen) return seen.error().sentence;
      return fmt::format("it reads '{}'", text::printable(text::trim(*seen)));
    }
    case What::file_text:
    case What::file_text_is_not: {
      auto seen = root.read(expectation.path);
      return seen ? fmt::format("it has these {} bytes: '{}'", seen->size(), shortened(*seen))
                  : seen.error().sentence;
    }
    case What::owner: {
      auto owner = journal.owner_of(expectation.path);
      if (!owner) return owner.error().sentence;
      return owner->empty() ? "it belongs to nobody" : "it belongs to " + *owner;
    }
    case What::tool_says:
    case What::tool_says_not: {
      const auto outcome = run_words(root, expectation.path);
      if (!outcome) return one_line(outcome.error());
      return outcome->exit_code == 0 ? "it says something else"
                                     : fmt::format("it ended with {}", outcome->exit_code);
    }
    case What::module:
    case What::process:
    case What::unit:
    case What::file:
      return expectation.value == "yes" ? "it is not there" : "it is still there";
  }
  return {};
}

Result<std::string> look_up(const kernel::Root& root, const model::ToolWord& word) {
  const auto pattern = compiled(word.pattern);
  if (!pattern) return fail(ErrorKind::invalid, word.pattern, "is no regular expression");
  TRY_LET(const auto outcome, run_words(root, word.tool));
  const auto lines = lines_of(outcome);
  const auto match = first_match(lines, *pattern);
  if (match && match->size() > 1) return match->str(1);
  return fail(ErrorKind::not_found, word.tool,
              fmt::format("says nothing that matches {}", word.pattern));
}

}  // namespace tessera::apply
