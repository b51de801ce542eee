// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tessera::app {

/// How a shape looks; colors as SVG spells them ("#3b4656", "none").
struct SvgLook {
  std::string_view fill = "none";
  std::string_view stroke = "none";
  double radius = 0;
  bool dashed = false;
};

/// How a text looks. `size` is in pixels.
struct SvgText {
  double size = 12;
  std::string_view color = "#1f2933";
  bool bold = false;
  bool monospaced = false;
  enum class Anchor { start, middle } anchor = Anchor::start;
};

/// One SVG 1.1 picture, written from back to front; all lengths are pixels from the top left
/// corner. Texts are escaped, and what is no printable ASCII is shown as \xNN.
class SvgWriter {
 public:
  /// Like rectangle(), and behind all that is drawn by other calls: a frame whose size is known
  /// only when its content is drawn.
  void backdrop(double x, double y, double width, double height, const SvgLook& look);
  void rectangle(double x, double y, double width, double height, const SvgLook& look);
  /// From the right side of one box to the left side of another, with one step on the way.
  void connector(double from_x, double from_y, double to_x, double to_y, std::string_view color);
  /// `y` is the text's base line.
  void text(double x, double y, std::string_view text, const SvgText& look);
  /// Like text(), cut short with "..." to what fits into `width`; whole as the tool tip.
  void text_within(double x, double y, double width, std::string_view text, const SvgText& look);

  /// The document: a background, then all that was drawn.
  [[nodiscard]] std::string finish(double width, double height, std::string_view title) const;

 private:
  std::string back_;
  std::string body_;
};

/// Columns of `look` that fit into `width`. Fonts differ; this is on the safe side for the usual
/// ones.
std::size_t svg_columns(double width, const SvgText& look);

/// `text` for use between tags and in quotes: & < > " ' escaped, other bytes made printable.
std::string svg_escaped(std::string_view text);

}  // namespace tessera::app
