// SPDX-License-Identifier: Apache-2.0
#include "lettering.h"

namespace guest {
namespace {

// A stroke alphabet, drawn for this guest. Each glyph is a path on a grid of units: two digits are
// a point (x, then y; '0'..'9', then 'a'..'g' for 10..16), a blank lifts the pen, '-' draws a line
// to the next point, '~' a curve by the next point (its control) to the one after. Capitals stand
// from y 0 to the base line at 12, small letters begin at 4, descenders reach 16.
const char* const glyphs[95] = {
    /*   */ "",
    /* ! */ "10-18 1b-1c",
    /* " */ "10-14 40-44",
    /* # */ "30-1c 70-5c 14-84 08-78",
    /* $ */ "73~7141~1114~1646~7679~7b4b~1b19 40-4c",
    /* % */ "80-0c 20~0002~0424~4442~4020 68~484a~4c6c~8c8a~8868",
    /* & */ "8c-23~2040~6063~6527~0709~0c3c~6c87",
    /* ' */ "10-14",
    /* ( */ "40~1226~1a4c",
    /* ) */ "10~4256~4a1c",
    /* * */ "42-4a 14-78 74-18",
    /* + */ "43-4b 07-87",
    /* , */ "1b-1c~1e0f",
    /* - */ "07-57",
    /* . */ "1b-1c",
    /* / */ "70-0e",
    /* 0 */ "40~0006~0c4c~8c86~8040",
    /* 1 */ "13-40-4c 1c-7c",
    /* 2 */ "03~0040~8083~8557-0c-8c",
    /* 3 */ "02~0040~7073~7636~8689~8c4c~0c0a",
    /* 4 */ "6c-60-08-88",
    /* 5 */ "70-10-05~2444~8488~8c4c~0c0a",
    /* 6 */ "71~6040~0007~0c4c~8c88~8444~0408",
    /* 7 */ "00-80-3c",
    /* 8 */ "46~0603~0040~8083~8646~0609~0c4c~8c89~8646",
    /* 9 */ "1b~2c4c~8c85~8040~0004~0848~8884",
    /* : */ "15-16 1b-1c",
    /* ; */ "15-16 1b-1c~1e0f",
    /* < */ "62-07-6c",
    /* = */ "05-75 09-79",
    /* > */ "02-67-0c",
    /* ? */ "02~0040~8083~8547-48 4b-4c",
    /* @ */ "64-68~6a8a~8a86~8040~0006~0c5c 65~6343~2346~2949~6966",
    /* A */ "0c-40-8c 18-78",
    /* B */ "00-0c-4c~8c89~8646-06 46~7673~7040-00",
    /* C */ "83~8040~0006~0c4c~8c89",
    /* D */ "00-0c-3c~8c86~8030-00",
    /* E */ "70-00-0c-7c 06-66",
    /* F */ "70-00-0c 06-66",
    /* G */ "83~8040~0006~0c4c~8c88-87-57",
    /* H */ "00-0c 80-8c 06-86",
    /* I */ "00-40 0c-4c 20-2c",
    /* J */ "60-68~6c3c~0c09",
    /* K */ "00-0c 80-08 35-8c",
    /* L */ "00-0c-7c",
    /* M */ "0c-00-48-80-8c",
    /* N */ "0c-00-8c-80",
    /* O */ "50~0006~0c5c~aca6~a050",
    /* P */ "0c-00-40~8083~8747-07",
    /* Q */ "50~0006~0c5c~aca6~a050 68-ad",
    /* R */ "0c-00-40~8083~8747-07 47-8c",
    /* S */ "82~8040~0003~0646~8689~8c4c~0c0a",
    /* T */ "00-80 40-4c",
    /* U */ "00-08~0c4c~8c88-80",
    /* V */ "00-4c-80",
    /* W */ "00-3c-54-7c-a0",
    /* X */ "00-8c 80-0c",
    /* Y */ "00-46-80 46-4c",
    /* Z */ "00-80-0c-8c",
    /* [ */ "40-10-1f-4f",
    /* \ */ "00-7e",
    /* ] */ "10-40-4f-1f",
    /* ^ */ "05-30-65",
    /* _ */ "0e-8e",
    /* ` */ "10-32",
    /* a */ "74-7c 78~7434~0408~0c3c~7c78",
    /* b */ "00-0c 08~0444~7478~7c4c~0c08",
    /* c */ "76~7444~0408~0c4c~7c7a",
    /* d */ "70-7c 78~7434~0408~0c3c~7c78",
    /* e */ "08-78~7444~0408~0c4c~6c7b",
    /* f */ "50~2023-2c 04-54",
    /* g */ "74-7d~7g3g~1g0f 78~7434~0408~0c3c~7c78",
    /* h */ "00-0c 07~0444~7477-7c",
    /* i */ "14-1c 11-10",
    /* j */ "34-3d~3g1g-0g 31-30",
    /* k */ "00-0c 64-09 37-7c",
    /* l */ "10-19~1c3c",
    /* m */ "04-0c 07~0434~5457-5c 57~5484~a4a7-ac",
    /* n */ "04-0c 07~0444~7477-7c",
    /* o */ "44~0408~0c4c~8c88~8444",
    /* p */ "04-0g 08~0444~7478~7c4c~0c08",
    /* q */ "74-7g 78~7434~0408~0c3c~7c78",
    /* r */ "04-0c 08~0434-54",
    /* s */ "65~6434~0406~0838~686a~6c3c~0c0b",
    /* t */ "20-29~2c5c 04-54",
    /* u */ "04-09~0c3c~7c79 74-7c",
    /* v */ "04-4c-84",
    /* w */ "04-3c-55-7c-a4",
    /* x */ "04-7c 74-0c",
    /* y */ "04-4c 84-2g",
    /* z */ "04-74-0c-7c",
    /* { */ "50~3033-35~3717~3739-3d~3g5g",
    /* | */ "10-1g",
    /* } */ "10~3033-35~3757~3739-3d~3g1g",
    /* ~ */ "08~2547~6986",
};

constexpr int units_between = 4;
constexpr int units_of_blank = 6;
constexpr int units_of_digit = 8;

struct Point {
  int x, y;  // sixteenths of a pixel
};

const char* path_of(char c) {
  return c < ' ' || c > '~' ? glyphs['?' - ' '] : glyphs[c - ' '];
}

int unit(char c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

bool is_point(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'g');
}

int glyph_units(char c) {
  if (c == ' ') return units_of_blank;
  if (c >= '0' && c <= '9') return units_of_digit;
  int most = 0;
  const char* p = path_of(c);
  for (; *p != 0; p++) {
    if (!is_point(*p)) continue;
    if (unit(*p) > most) most = unit(*p);
    p++;
  }
  return most;
}

uint32_t square_root(uint32_t value) {
  uint32_t root = 0;
  for (uint32_t bit = 1U << 30; bit != 0; bit >>= 2) {
    if (value >= root + bit) {
      value -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
  }
  return root;
}

/// How much ink each pixel of one glyph gets: the strongest stroke counts, so that crossing strokes
/// do not show.
class Ink {
 public:
  static constexpr int side = 96;
  static constexpr int margin = 4;  ///< pixels left and above the glyph's origin

  void clear() {
    for (auto& a : amount_) a = 0;
  }
  [[nodiscard]] uint32_t at(int x, int y) const { return amount_[y * side + x]; }

  void segment(Point a, Point b, int stroke) {
    int reach = stroke / 2 + 16;
    int left = lesser(a.x, b.x) - reach, right = greater(a.x, b.x) + reach;
    int top = lesser(a.y, b.y) - reach, bottom = greater(a.y, b.y) + reach;
    for (int y = greater(0, top >> 4); y <= lesser(side - 1, bottom >> 4); y++)
      for (int x = greater(0, left >> 4); x <= lesser(side - 1, right >> 4); x++)
        lay(x, y, distance(Point{x * 16 + 8, y * 16 + 8}, a, b, reach), stroke * 8);
  }

 private:
  static int lesser(int a, int b) { return a < b ? a : b; }
  static int greater(int a, int b) { return a > b ? a : b; }

  /// From `p` to the segment in 1/256 pixel; a large number beyond `reach`.
  static int distance(Point p, Point a, Point b, int reach) {
    Point along{b.x - a.x, b.y - a.y}, to{p.x - a.x, p.y - a.y};
    int dot = to.x * along.x + to.y * along.y;
    int length2 = along.x * along.x + along.y * along.y;
    int t = 0;  // 0..512
    if (dot >= length2)
      t = 512;
    else if (dot > 0)
      t = static_cast<int>(static_cast<uint32_t>(dot) * 512U / static_cast<uint32_t>(length2));
    int dx = to.x - along.x * t / 512, dy = to.y - along.y * t / 512;
    if (dx * dx + dy * dy > reach * reach) return 1 << 20;
    return static_cast<int>(square_root(static_cast<uint32_t>(dx * dx + dy * dy) * 256U));
  }

  void lay(int x, int y, int away, int radius) {
    int ink = lesser(255, radius - away + 128);
    uint8_t& here = amount_[y * side + x];
    if (ink > here) here = static_cast<uint8_t>(ink);
  }

  uint8_t amount_[side * side];
};

Ink ink;

/// Follows a glyph's path with the pen.
class Pen {
 public:
  Pen(const char* path, const Lettering& style) : p_(path), style_(style) {}

  void draw() {
    Point here{};
    while (*p_ != 0) {
      char what = is_point(*p_) ? ' ' : *p_++;
      if (what == '-')
        here = line(here, next());
      else if (what == '~')
        here = curve(here);
      else
        here = next();
    }
  }

 private:
  Point next() {
    while (!is_point(*p_)) p_++;
    Point point{unit(p_[0]) * style_.size + Ink::margin * 16,
                unit(p_[1]) * style_.size + Ink::margin * 16};
    p_ += 2;
    return point;
  }
  Point line(Point a, Point b) {
    ink.segment(a, b, style_.stroke);
    return b;
  }
  Point curve(Point a) {
    constexpr int pieces = 8;
    Point by = next(), end = next(), last = a;
    for (int i = 1; i <= pieces; i++) {
      int j = pieces - i;
      auto mix = [&](int from, int control, int to) {
        return (from * j * j + 2 * control * i * j + to * i * i) / (pieces * pieces);
      };
      last = line(last, Point{mix(a.x, by.x, end.x), mix(a.y, by.y, end.y)});
    }
    return end;
  }

  const char* p_;
  const Lettering& style_;
};

}  // namespace

int draw_text(Canvas& canvas, int x, int y, const char* text, const Lettering& style) {
  int at = x * 16;
  for (; *text != 0; text++) {
    ink.clear();
    Pen(path_of(*text), style).draw();
    for (int j = 0; j < Ink::side; j++)
      for (int i = 0; i < Ink::side; i++)
        if (uint32_t amount = ink.at(i, j); amount != 0)
          canvas.mix((at >> 4) + i - Ink::margin, y + j - Ink::margin, style.colour, amount);
    at += (glyph_units(*text) + units_between) * style.size;
  }
  return at >> 4;
}

int text_width(const char* text, const Lettering& style) {
  int units = 0;
  for (; *text != 0; text++) units += glyph_units(*text) + units_between;
  return (units * style.size) >> 4;
}

}  // namespace guest
