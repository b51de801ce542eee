// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <cstddef>

namespace tessera::text {

namespace {

/// The bytes that may follow a first byte, and the range of the second one (RFC 3629, section 4).
struct Utf8Sequence {
  unsigned first_from, first_to;
  std::size_t following;
  unsigned second_from, second_to;
};
constexpr Utf8Sequence utf8_sequences[] = {
    {0x00, 0x7f, 0, 0x80, 0xbf}, {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

bool is_between(char c, unsigned from, unsigned to) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= from && byte <= to;
}

/// Bytes of the character that `s` begins with; 0 where it is none.
std::size_t utf8_length(std::string_view s) {
  for (const auto& kind : utf8_sequences) {
    if (!is_between(s[0], kind.first_from, kind.first_to)) continue;
    if (s.size() <= kind.following) return 0;
    for (std::size_t i = 1; i <= kind.following; ++i) {
      const bool fits = i == 1 ? is_between(s[i], kind.second_from, kind.second_to)
                               : is_between(s[i], 0x80, 0xbf);
      if (!fits) return 0;
    }
    return kind.following + 1;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view s) {
  while (!s.empty()) {
    const std::size_t length = utf8_length(s);
    if (length == 0) return false;
    s.remove_prefix(length);
  }
  return true;
}

}  // namespace tessera::text
