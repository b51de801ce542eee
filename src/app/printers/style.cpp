// SPDX-License-Identifier: Apache-2.0
#include "app/printers/style.h"

#include <algorithm>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

namespace tessera::app {

namespace {

constexpr std::size_t narrowest = 40;

/// Columns a UTF-8 text takes, as far as continuation bytes tell.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

/// Whether the locale's text is UTF-8: the first of the variables that is set decides (locale(7)).
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale = value;
    return locale.ends_with("UTF-8") || locale.ends_with("utf8");
  }
  return false;
}

}  // namespace

ReportStyle stdout_style() {
  ReportStyle style;
  if (isatty(STDOUT_FILENO) == 0) return style;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.width = std::max<std::size_t>(size.ws_col, narrowest);
  }
  if (locale_is_utf8()) style.strokes = ReportStyle::Strokes::unicode;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color == nullptr || *no_color == '\0') style.color = ReportStyle::Color::ansi;
  return style;
}

std::string colored(const std::string& text, const fmt::text_style& look,
                    const ReportStyle& style) {
  if (style.color == ReportStyle::Color::none) return text;
  return fmt::format(look, "{}", text);
}

std::string bold(const std::string& text, const ReportStyle& style) {
  return colored(text, fmt::emphasis::bold, style);
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string result;
  std::size_t column = indent;
  for (std::string_view word : text::words(text)) {
    std::size_t length = columns(word);
    bool first = column == indent;
    if (!first && column + 1 + length > width) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
      first = true;
    }
    if (!first) {
      result += ' ';
      ++column;
    }
    result += word;
    column += length;
  }
  return result;
}

}  // namespace tessera::app
