// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "canvas.h"

namespace guest {

/// How text looks. Sizes are in sixteenths of a pixel for each of a glyph's 16 units of height, so
/// a size of 16 makes capitals 12 pixels high.
struct Lettering {
  int size = 16;
  int stroke = 20;  ///< thickness, sixteenths of a pixel
  Colour colour = 0xffffff;
};

/// Draws `text` with the top of its capitals at `y`; returns the x where the next letter would go.
int draw_text(Canvas& canvas, int x, int y, const char* text, const Lettering& style);

/// How wide draw_text() would make it.
int text_width(const char* text, const Lettering& style);

}  // namespace guest
