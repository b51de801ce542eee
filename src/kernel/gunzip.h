// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tessera::kernel {

/// The text of a gzip file (/proc/config.gz), at most `limit` bytes of it.
/// Errors: invalid when it is no gzip file or damaged.
Result<std::string> gunzip(std::string_view compressed, std::size_t limit = 4U << 20U);

}  // namespace tessera::kernel
