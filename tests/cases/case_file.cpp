// SPDX-License-Identifier: Apache-2.0
#include "cases/case_file.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::cases {

namespace {

const std::map<std::string_view, Line::Kind> line_words = {
    {"RUN", Line::Kind::run},       {"EXIT", Line::Kind::exit_code}, {"EXPECT", Line::Kind::expect},
    {"REJECT", Line::Kind::reject}, {"LINK", Line::Kind::link},      {"TEXT", Line::Kind::text},
};

std::unexpected<Error> wrong(std::string_view file, std::size_t line, std::string sentence) {
  return fail(ErrorKind::invalid, fmt::format("{}:{}", file, line), std::move(sentence));
}

Status check_whole(const Case& one, std::string_view file, std::size_t line) {
  if (one.name.empty() || one.host.empty()) {
    return wrong(file, line, "the case that ends here has no NAME or no HOST");
  }
  const bool checks =
      std::ranges::any_of(one.lines, [](const Line& l) { return l.kind != Line::Kind::run; });
  if (!checks) return wrong(file, line, "the case that ends here checks nothing");
  return {};
}

Status add_line(Case& one, std::string_view word, std::string_view argument, std::string_view file,
                std::size_t number) {
  if (word == "NAME") {
    one.name = argument;
  } else if (word == "HOST") {
    one.host = argument;
  } else if (word == "NEEDS") {
    one.needs = argument;
  } else if (word == "ON") {
    one.on_fake = argument.find("fake") != std::string_view::npos;
    one.on_lab = argument.find("lab") != std::string_view::npos;
  } else if (auto known = line_words.find(word); known != line_words.end()) {
    if (one.lines.empty() && known->second != Line::Kind::run) {
      return wrong(file, number, fmt::format("{} before any RUN", word));
    }
    one.lines.push_back({known->second, std::string(argument), number});
  } else {
    return wrong(file, number, fmt::format("'{}' is no word of a case", text::printable(word)));
  }
  return {};
}

}  // namespace

Result<std::vector<Case>> parse_cases(std::string_view text, std::string_view file) {
  std::vector<Case> cases;
  std::optional<Case> open;
  std::size_t number = 0;
  for (auto raw : text::lines(text)) {
    ++number;
    const auto line = text::trim(raw);
    if (line.starts_with('#')) continue;
    if (!line.empty()) {
      if (!open) open.emplace();
      const auto end = std::min(line.find_first_of(" \t"), line.size());
      TRY(add_line(*open, line.substr(0, end), text::trim(line.substr(end)), file, number));
    } else if (open) {
      TRY(check_whole(*open, file, number));
      cases.push_back(std::move(*open));
      open.reset();
    }
  }
  if (open) {
    TRY(check_whole(*open, file, number));
    cases.push_back(std::move(*open));
  }
  if (cases.empty()) return wrong(file, number, "no case in it");
  return cases;
}

}  // namespace tessera::cases
