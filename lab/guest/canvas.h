// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

namespace guest {

/// 0xRRGGBB
using Colour = uint32_t;

/// `over` laid on `under`, with `alpha` 0 (nothing) to 255 (all).
Colour blend(Colour under, Colour over, uint32_t alpha);

/// The same number for the same input, spread over all 32 bits: our dice, so that every picture of
/// the same machine is the same to the last pixel.
uint32_t scatter(uint32_t a, uint32_t b);

/// The picture in main memory. It is drawn here and copied to the card in one go.
class Canvas {
 public:
  static constexpr int width = 1024;
  static constexpr int height = 768;

  void set(int x, int y, Colour colour) {
    if (inside(x, y)) pixels_[y * width + x] = colour;
  }
  void mix(int x, int y, Colour colour, uint32_t alpha) {
    if (inside(x, y)) pixels_[y * width + x] = blend(pixels_[y * width + x], colour, alpha);
  }
  [[nodiscard]] Colour pixel(int index) const { return pixels_[index]; }

  struct Box {
    int x, y, width, height;
  };
  /// A box with round corners.
  void fill(const Box& box, int radius, Colour colour, uint32_t alpha);

 private:
  static bool inside(int x, int y) { return x >= 0 && x < width && y >= 0 && y < height; }
  Colour pixels_[width * height];
};

}  // namespace guest
