// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tessera {

/// 128 bits that name a mediated device, or a machine (RFC 9562). A value: no registry, no clock.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
};

/// "83c32df7-d52e-4ec1-9668-1f3c7e4df107": 36 characters, either case, as the kernel takes it in an
/// mdev type's `create` (lib/uuid.c). Braces, "urn:uuid:" and forms without '-' are refused.
/// Errors: invalid, naming the first character that is wrong.
Result<Uuid> parse_uuid(std::string_view text);

/// Whether it is one in that form: the names of mediated devices are.
bool is_uuid(std::string_view text);

/// In lower case, as the kernel and mdevctl print it.
std::string to_string(const Uuid& uuid);

/// A version 4 UUID of 16 random bytes: six of its bits say that it is one (RFC 9562, 5.4).
Uuid uuid_from_random(std::array<std::uint8_t, 16> random);

/// A new one, of the kernel's random bytes (getrandom(2)). Errors: io, unsupported.
Result<Uuid> random_uuid();

}  // namespace tessera
