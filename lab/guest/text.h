// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

namespace guest {

/// A line of text under construction; what does not fit is cut.
class Line {
 public:
  Line& add(const char* s) {
    while (*s != 0) add(*s++);
    return *this;
  }
  Line& add(char c) {
    if (length_ + 1 < sizeof text_) text_[length_++] = c;
    text_[length_] = 0;
    return *this;
  }
  /// Lower-case, exactly `digits` wide.
  Line& hex(uint32_t value, int digits) {
    while (digits-- > 0) add("0123456789abcdef"[(value >> (digits * 4)) & 15]);
    return *this;
  }
  Line& decimal(uint32_t value) {
    if (value >= 10) decimal(value / 10);
    return add(static_cast<char>('0' + value % 10));
  }
  [[nodiscard]] const char* c_str() const { return text_; }

 private:
  char text_[256] = {};
  uint32_t length_ = 0;
};

}  // namespace guest
