// SPDX-License-Identifier: Apache-2.0
#include "picture.h"

#include "lettering.h"

namespace guest {
namespace {

// The whole screen is a grid of 64 by 48 tiles.
constexpr int tile = 16;
constexpr int columns = Canvas::width / tile;
constexpr int rows = Canvas::height / tile;

constexpr Colour night = 0x0a0f1c, dusk = 0x16203a, glow = 0x2b5f7a;

// The word in tiles, drawn for this guest. A '#' is a tile of a letter.
constexpr int word_rows = 10;
const char* const word[word_rows] = {
    "########...............................................",
    "########...............................................",
    "...##..................................................",
    "...##....#####...#####...#####...#####..##.###..#####..",
    "...##...##...##.##...##.##...##.##...##.###.##.##...##.",
    "...##...##...##.##......##......##...##.##..........##.",
    "...##...#######..#####...#####..#######.##......######.",
    "...##...##...........##......##.##......##.....##...##.",
    "...##...##...##.##...##.##...##.##...##.##.....##...##.",
    "...##....#####...#####...#####...#####..##......######.",
};
constexpr int word_left = 5, word_top = 5;
constexpr int band_top = 2, band_bottom = 18;

int absolute(int v) {
  return v < 0 ? -v : v;
}

void draw_background(Canvas& canvas) {
  constexpr int centre_x = Canvas::width / 2, centre_y = (band_top + band_bottom) * tile / 2;
  for (int y = 0; y < Canvas::height; y++) {
    Colour base = blend(night, dusk, static_cast<uint32_t>(y * 255 / Canvas::height));
    for (int x = 0; x < Canvas::width; x++) {
      int dx = (x - centre_x) / 3, dy = (y - centre_y) * 2 / 3;
      int near = 256 - (dx * dx + dy * dy) / 128;
      // A few levels of noise hide the steps of an 8-bit gradient.
      int noise = static_cast<int>(scatter(static_cast<uint32_t>(x), static_cast<uint32_t>(y)) & 7);
      int light = (near > 0 ? near * near * 100 / 65536 : 0) + noise;
      canvas.set(x, y, blend(base, glow, static_cast<uint32_t>(light)));
    }
  }
}

/// One tile with a lit upper left edge and a shaded lower right one.
void draw_tile(Canvas& canvas, int column, int row, Colour colour, uint32_t alpha) {
  constexpr int side = tile - 2;
  for (int y = 0; y < side; y++) {
    for (int x = 0; x < side; x++) {
      bool corner = (x == 0 || x == side - 1) && (y == 0 || y == side - 1);
      if (corner) continue;
      Colour here = colour;
      if (x == 0 || y == 0) here = blend(colour, 0xffffff, 70);
      if (x == side - 1 || y == side - 1) here = blend(colour, 0x000000, 80);
      canvas.mix(column * tile + 1 + x, row * tile + 1 + y, here, alpha);
    }
  }
}

/// The word's colour from left to right, through a few glazes.
Colour glaze(int column) {
  static const Colour stops[] = {0x2ec4b6, 0x3a9df0, 0x7b6cf6, 0xd65db1, 0xff7a6b, 0xffb84d};
  constexpr int last = static_cast<int>(sizeof stops / sizeof stops[0]) - 1;
  int at = column * last * 256 / columns;
  int stop = at / 256;
  return stop >= last ? stops[last]
                      : blend(stops[stop], stops[stop + 1], static_cast<uint32_t>(at % 256));
}

bool in_word(int column, int row) {
  int x = column - word_left, y = row - word_top;
  if (y < 0 || y >= word_rows || x < 0) return false;
  const char* line = word[y];
  for (int i = 0; line[i] != 0; i++)
    if (i == x) return line[i] == '#';
  return false;
}

void draw_letter_tile(Canvas& canvas, int column, int row, uint32_t dice) {
  Colour colour = glaze(column);
  uint32_t shade = dice & 63;
  colour = (dice & 64) != 0 ? blend(colour, 0xffffff, shade) : blend(colour, 0x101030, shade);
  draw_tile(canvas, column, row, colour, 255);
}

/// The plaster tiles around the word; fewer and paler towards the band's edges.
void draw_plain_tile(Canvas& canvas, int column, int row, uint32_t dice) {
  int middle = (band_top + band_bottom) / 2, half = (band_bottom - band_top) / 2;
  int strength = 256 - 256 * absolute(row - middle) / (half + 1);
  int side = column < columns / 2 ? column : columns - 1 - column;
  if (side < 6) strength = strength * (side + 2) / 8;
  if (static_cast<int>(dice >> 24) > strength + 60) return;
  Colour colour = blend(0x1c3144, glaze(column), 18 + (dice >> 8 & 31));
  draw_tile(canvas, column, row, colour, static_cast<uint32_t>(40 + strength * 5 / 8));
}

void draw_band(Canvas& canvas) {
  for (int row = band_top; row <= band_bottom; row++) {
    for (int column = 0; column < columns; column++) {
      uint32_t dice = scatter(static_cast<uint32_t>(column), static_cast<uint32_t>(row));
      if (in_word(column, row))
        draw_letter_tile(canvas, column, row, dice);
      else
        draw_plain_tile(canvas, column, row, dice);
    }
  }
}

void draw_facts(Canvas& canvas, const Facts& facts) {
  constexpr int left = 80, text_left = 212, top = 384, bottom = 690, most_height = 46;
  constexpr Lettering title{28, 40, 0xf4f6fb}, label{18, 22, 0x6fc7bd}, value{18, 24, 0xdfe5f0};
  const char* headline = "this guest owns its graphics card";
  draw_text(canvas, (Canvas::width - text_width(headline, title)) / 2, 322, headline, title);
  int height = (bottom - top) / (facts.count + 1);
  if (height > most_height) height = most_height;
  int first = top + (bottom - top - facts.count * height) * 2 / 5 + height / 4;
  for (int i = 0; i < facts.count; i++) {
    int y = first + i * height;
    draw_text(canvas, left, y, facts.rows[i].label, label);
    draw_text(canvas, text_left, y, facts.rows[i].text.c_str(), value);
    if (i + 1 < facts.count)
      canvas.fill(Canvas::Box{left, y + 14 + (height - 14) / 2, Canvas::width - 2 * left, 1}, 0,
                  0x9fb4d0, 40);
  }
}

/// Colours whose exact values a camera or a test can check, and the grey steps from black to white.
void draw_test_colours(Canvas& canvas) {
  static const Colour bars[8] = {0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
                                 0xff00ff, 0xff0000, 0x0000ff, 0x000000};
  for (int column = 0; column < columns; column++) {
    uint32_t grey = static_cast<uint32_t>(column) * 255 / (columns - 1);
    for (int row = rows - 4; row < rows - 1; row++)
      canvas.fill(Canvas::Box{column * tile + 1, row * tile + 1, tile - 2, tile - 2}, 0,
                  bars[column * 8 / columns], 255);
    canvas.fill(Canvas::Box{column * tile + 1, (rows - 1) * tile + 1, tile - 2, tile - 2}, 0,
                grey * 0x010101, 255);
  }
}

}  // namespace

void draw_picture(Canvas& canvas, const Facts& facts) {
  draw_background(canvas);
  draw_band(canvas);
  draw_facts(canvas, facts);
  draw_test_colours(canvas);
}

}  // namespace guest
