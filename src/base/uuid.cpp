// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdint>

#include <fmt/format.h>
#include <sys/random.h>

namespace tessera {

namespace {

constexpr std::size_t text_size = 36;

constexpr bool is_dash_place(std::size_t place) {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

}  // namespace

bool is_uuid(std::string_view text) {
  if (text.size() != text_size) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool fine =
        is_dash_place(i) ? text[i] == '-' : std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
    if (!fine) return false;
  }
  return true;
}

Result<std::string> random_uuid() {
  std::array<std::uint8_t, 16> bytes = {};
  ssize_t got = 0;
  do {
    got = ::getrandom(bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(bytes.size())) {
    return fail(error_from_errno(errno, "getrandom", "get random bytes from"));
  }
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x40U);  // version 4
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);  // variant of RFC 9562
  std::string text;
  for (const auto byte : bytes) {
    if (is_dash_place(text.size())) text += '-';
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

}  // namespace tessera
