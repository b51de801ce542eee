// SPDX-License-Identifier: Apache-2.0
#include "app/printers/svg.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::app {

namespace {

std::string rectangle_tag(double x, double y, double width, double height, const SvgLook& look) {
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"{:.1f}\" "
      "fill=\"{}\" stroke=\"{}\"{}/>\n",
      x, y, width, height, look.radius, look.fill, look.stroke,
      look.dashed ? " stroke-dasharray=\"4 3\"" : "");
}

}  // namespace

std::string svg_escaped(std::string_view text) {
  std::string out;
  for (char c : text::printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::size_t svg_columns(double width, const SvgText& look) {
  // Widths of a character by its height, a little above the average of DejaVu and Verdana, the
  // widest of the common fonts.
  constexpr double monospaced = 0.603;
  constexpr double regular = 0.60;
  constexpr double heavy = 0.67;
  const double one = look.size * (look.monospaced ? monospaced : look.bold ? heavy : regular);
  return width <= 0 ? 0 : static_cast<std::size_t>(width / one);
}

void SvgWriter::backdrop(double x, double y, double width, double height, const SvgLook& look) {
  back_ += rectangle_tag(x, y, width, height, look);
}

void SvgWriter::rectangle(double x, double y, double width, double height, const SvgLook& look) {
  body_ += rectangle_tag(x, y, width, height, look);
}

void SvgWriter::connector(double from_x, double from_y, double to_x, double to_y,
                          std::string_view color) {
  constexpr double step = 14;
  body_ += fmt::format(
      "<path d=\"M{:.1f} {:.1f}H{:.1f}V{:.1f}H{:.1f}\" fill=\"none\" stroke=\"{}\" "
      "stroke-width=\"1.5\"/>\n",
      from_x, from_y, from_x + step, to_y, to_x, color);
}

void SvgWriter::text(double x, double y, std::string_view text, const SvgText& look) {
  body_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\" fill=\"{}\"{}{}{}>{}</text>\n", x, y,
      look.size, look.color, look.bold ? " font-weight=\"bold\"" : "",
      look.monospaced ? " class=\"m\"" : "",
      look.anchor == SvgText::Anchor::middle ? " text-anchor=\"middle\"" : "", svg_escaped(text));
}

void SvgWriter::text_within(double x, double y, double width, std::string_view text,
                            const SvgText& look) {
  constexpr std::string_view dots = "...";
  const std::size_t columns = svg_columns(width, look);
  const std::string shown = text::printable(text);
  if (shown.size() <= columns) {
    this->text(x, y, text, look);
    return;
  }
  const std::size_t kept = columns > dots.size() ? columns - dots.size() : 0;
  body_ += fmt::format("<g><title>{}</title>\n", svg_escaped(text));
  this->text(x, y, shown.substr(0, kept) + std::string(dots), look);
  body_ += "</g>\n";
}

std::string SvgWriter::finish(double width, double height, std::string_view title) const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" "
      "font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\">\n"
      "<title>{2}</title>\n"
      "<style>.m{{font-family:DejaVu Sans Mono,Menlo,Consolas,monospace}}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
      "{3}{4}</svg>\n",
      width, height, svg_escaped(title), back_, body_);
}

}  // namespace tessera::app
