// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <cerrno>

#include <fmt/format.h>
#include <sys/random.h>

#include "base/text.h"

namespace tessera {

namespace {

constexpr std::size_t uuid_length = 36;

constexpr bool is_dash_place(std::size_t place) {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

/// Its value, or -1 for what is no hexadecimal digit.
constexpr int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::unexpected<Error> no_uuid(std::string_view text, std::string sentence) {
  return fail(ErrorKind::invalid, text::printable(text), std::move(sentence),
              "a UUID looks like 83c32df7-d52e-4ec1-9668-1f3c7e4df107");
}

}  // namespace

Result<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != uuid_length) {
    return no_uuid(text,
                   fmt::format("a UUID has {} characters, this has {}", uuid_length, text.size()));
  }
  Uuid uuid;
  std::size_t digits = 0;
  for (std::size_t place = 0; place < text.size(); ++place) {
    const int value = digit_value(text[place]);
    if (is_dash_place(place) ? text[place] != '-' : value < 0) {
      return no_uuid(text, fmt::format("character {} of a UUID is {}, not '{}'", place + 1,
                                       is_dash_place(place) ? "'-'" : "a hexadecimal digit",
                                       text::printable(text.substr(place, 1))));
    }
    if (is_dash_place(place)) continue;
    auto& byte = uuid.bytes[digits++ / 2];
    byte = static_cast<std::uint8_t>((byte << 4) | value);
  }
  return uuid;
}

bool is_uuid(std::string_view text) {
  if (text.size() != uuid_length) return false;
  for (std::size_t place = 0; place < uuid_length; ++place) {
    if (is_dash_place(place) ? text[place] != '-' : digit_value(text[place]) < 0) return false;
  }
  return true;
}

std::string to_string(const Uuid& uuid) {
  std::string out;
  for (const std::uint8_t byte : uuid.bytes) {
    if (is_dash_place(out.size())) out += '-';
    out += fmt::format("{:02x}", byte);
  }
  return out;
}

Uuid uuid_from_random(std::array<std::uint8_t, 16> random) {
  random[6] = static_cast<std::uint8_t>((random[6] & 0x0f) | 0x40);  // version 4
  random[8] = static_cast<std::uint8_t>((random[8] & 0x3f) | 0x80);  // the variant of the RFC
  return {random};
}

Result<Uuid> random_uuid() {
  std::array<std::uint8_t, 16> random{};
  ssize_t got = 0;
  do {  // up to 256 bytes come whole (getrandom(2))
    got = ::getrandom(random.data(), random.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(random.size())) return uuid_from_random(random);
  return fail(error_from_errno(got < 0 ? errno : EIO, "random bytes", "get"));
}

}  // namespace tessera
