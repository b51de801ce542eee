// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tessera {

/// Whether this is a UUID as text: 32 hexadecimal digits, either case, in groups of 8-4-4-4-12
/// (RFC 9562). The names of mediated devices have this form.
bool is_uuid(std::string_view text);

/// A new one that nobody has: version 4, from getrandom(2), in lower case. Errors: io.
Result<std::string> random_uuid();

}  // namespace tessera
