// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "canvas.h"
#include "text.h"

namespace guest {

/// What the picture says, a label and its text on each row.
struct Facts {
  static constexpr int most = 7;
  struct Row {
    const char* label = nullptr;
    Line text;
  };
  Row rows[most];
  int count = 0;

  Line& add(const char* label) {
    Row& row = rows[count < most ? count++ : most - 1];
    row.label = label;
    row.text = Line{};
    return row.text;
  }
};

/// The project's name laid in tiles, the facts below it, and test colours at the bottom edge.
void draw_picture(Canvas& canvas, const Facts& facts);

}  // namespace guest
