// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace tessera::text {

/// Whether `s` is UTF-8 as RFC 3629 has it (no surrogates, nothing overlong): what JSON can hold.
bool is_utf8(std::string_view s);

}  // namespace tessera::text
