// SPDX-License-Identifier: Apache-2.0
#include "app/printers/lint.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tessera::app {

using plan::Hit;
using plan::LintVerdict;

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t hit_indent = 11;
/// What was seen is shown up to here; a sentence of a guide can fill a page.
constexpr std::size_t longest_seen = 160;

fmt::text_style look_of(LintVerdict verdict) {
  switch (verdict) {
    case LintVerdict::wrong:
    case LintVerdict::dangerous:
      return fmt::fg(fmt::terminal_color::red) | fmt::emphasis::bold;
    case LintVerdict::obsolete:
      return fmt::fg(fmt::terminal_color::yellow) | fmt::emphasis::bold;
    case LintVerdict::no_op:
      break;
  }
  return fmt::fg(fmt::terminal_color::cyan);
}

/// Texts are other people's: a control byte in one must not reach the terminal.
std::string shown(std::string_view text) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out;
}

/// At most `longest_seen` bytes, cut between characters.
std::string shortened(std::string text) {
  if (text.size() <= longest_seen) return text;
  std::size_t end = longest_seen;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

std::string place_of(const Hit& hit) {
  return hit.column > 0 ? fmt::format("{}:{}:{}", hit.path, hit.line, hit.column)
                        : fmt::format("{}:{}", hit.path, hit.line);
}

std::string hit_text(const Hit& hit, bool explained, const ReportStyle& style) {
  const std::string verdict(plan::to_string(hit.verdict));
  std::string text =
      fmt::format("{}: {}: {} [{}]\n", bold(shown(place_of(hit)), style),
                  colored(verdict, look_of(hit.verdict), style), shown(hit.says), hit.id);
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += fmt::format("    {:<7}{}\n", label, value);
  };
  line("seen", shortened(shown(hit.seen)));
  if (!explained) line("why", wrapped(shown(hit.why), hit_indent, style.width));
  line("right", shown(hit.right));
  return text;
}

std::string counted(const std::vector<LintedText>& texts) {
  std::size_t counts[4] = {};
  std::size_t hits = 0;
  for (const LintedText& text : texts) {
    for (const Hit& hit : text.hits) ++counts[static_cast<std::size_t>(hit.verdict)];
    hits += text.hits.size();
  }
  const std::string files = texts.size() == 1 ? "1 text" : fmt::format("{} texts", texts.size());
  if (hits == 0) return fmt::format("{}: nothing found\n", files);
  const auto count = [&](LintVerdict verdict) { return counts[static_cast<std::size_t>(verdict)]; };
  return fmt::format("{}: {} wrong, {} dangerous, {} obsolete, {} no-op\n", files,
                     count(LintVerdict::wrong), count(LintVerdict::dangerous),
                     count(LintVerdict::obsolete), count(LintVerdict::no_op));
}

/// JSON is UTF-8; a byte that is none is shown as '?'.
std::string valid(const std::string& text) {
  const Json probe = text;
  const std::string quoted = probe.dump(-1, ' ', false, Json::error_handler_t::replace);
  const Json parsed = Json::parse(quoted, nullptr, false);
  return parsed.is_string() ? parsed.get<std::string>() : std::string();
}

}  // namespace

std::string lint_text(const std::vector<LintedText>& texts, const ReportStyle& style) {
  std::string all;
  std::set<std::pair<std::string, std::string>> explained;
  for (const LintedText& text : texts) {
    for (const Hit& hit : text.hits) {
      const bool again = !explained.emplace(hit.id, hit.why).second;
      all += hit_text(hit, again, style) + "\n";
    }
  }
  return all + counted(texts);
}

nlohmann::ordered_json lint_json(const std::vector<LintedText>& texts) {
  Json json = {{"schema", "tessera/lint/1"}, {"texts", Json::array()}, {"hits", Json::array()}};
  for (const LintedText& text : texts) {
    json["texts"].push_back({{"path", valid(text.path)}, {"kind", plan::to_string(text.kind)}});
    for (const Hit& hit : text.hits) {
      Json one = {{"id", hit.id},
                  {"verdict", plan::to_string(hit.verdict)},
                  {"path", valid(hit.path)},
                  {"line", hit.line}};
      if (hit.column > 0) one["column"] = hit.column;
      one["seen"] = valid(hit.seen);
      one["says"] = valid(hit.says);
      one["why"] = valid(hit.why);
      one["right"] = valid(hit.right);
      json["hits"].push_back(std::move(one));
    }
  }
  return json;
}

std::string lint_rules_text(const ReportStyle& style) {
  std::string text = fmt::format("{:<26} {:<10} {}\n", "ID", "VERDICT", "WHAT IS THE MATTER");
  for (const plan::LintRule& rule : plan::all_lint_rules()) {
    text += fmt::format("{:<26} {:<10} {}\n", rule.id, plan::to_string(rule.verdict),
                        wrapped(rule.says, 38, style.width));
  }
  return text;
}

nlohmann::ordered_json lint_rules_json() {
  Json json = {{"schema", "tessera/lint-rules/1"}, {"rules", Json::array()}};
  for (const plan::LintRule& rule : plan::all_lint_rules()) {
    json["rules"].push_back({{"id", rule.id},
                             {"verdict", plan::to_string(rule.verdict)},
                             {"says", rule.says},
                             {"why", rule.why},
                             {"right", rule.right},
                             {"source", rule.source}});
  }
  return json;
}

}  // namespace tessera::app
