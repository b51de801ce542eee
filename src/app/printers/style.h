// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/color.h>

namespace tessera::app {

/// How a report is laid out; the same style gives the same text.
struct ReportStyle {
  std::size_t width = 80;  ///< columns; evidence and commands, which are copied, are not wrapped
  enum class Color { none, ansi } color = Color::none;
  enum class Strokes { ascii, unicode } strokes = Strokes::ascii;  ///< the lines of a tree
};

/// What stdout takes: the terminal's width and colors (unless NO_COLOR is set), or 80 columns
/// and none when it is no terminal. Trees have Unicode lines on a terminal whose locale is UTF-8.
ReportStyle stdout_style();

/// `text` with this look, and in bold, where the style has colors.
std::string colored(const std::string& text, const fmt::text_style& look, const ReportStyle& style);
std::string bold(const std::string& text, const ReportStyle& style);

/// `text` in lines of at most `width` columns (longer words stand alone), each but the first
/// indented by `indent` blanks; the first is taken to start in column `indent`.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace tessera::app
