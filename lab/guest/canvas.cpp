// SPDX-License-Identifier: Apache-2.0
#include "canvas.h"

namespace guest {

Colour blend(Colour under, Colour over, uint32_t alpha) {
  uint32_t a = alpha + (alpha >> 7);  // 0..256, so that 255 is all
  uint32_t red_blue = ((under & 0xff00ffU) * (256 - a) + (over & 0xff00ffU) * a) >> 8;
  uint32_t green = ((under & 0x00ff00U) * (256 - a) + (over & 0x00ff00U) * a) >> 8;
  return (red_blue & 0xff00ffU) | (green & 0x00ff00U);
}

uint32_t scatter(uint32_t a, uint32_t b) {
  uint32_t h = a * 0x9e3779b1U ^ (b + 0x7f4a7c15U) * 0x85ebca6bU;
  h ^= h >> 15;
  h *= 0x2c1b3c6dU;
  h ^= h >> 12;
  h *= 0x297a2d39U;
  return h ^ h >> 15;
}

void Canvas::fill(const Box& box, int radius, Colour colour, uint32_t alpha) {
  for (int y = 0; y < box.height; y++) {
    for (int x = 0; x < box.width; x++) {
      int dx =
          x < radius ? radius - x : (x >= box.width - radius ? x - (box.width - radius - 1) : 0);
      int dy =
          y < radius ? radius - y : (y >= box.height - radius ? y - (box.height - radius - 1) : 0);
      if (dx * dx + dy * dy > radius * radius) continue;
      mix(box.x + x, box.y + y, colour, alpha);
    }
  }
}

}  // namespace guest
