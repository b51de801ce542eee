// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tessera::app {

/// The whole of a file of the user's, at most 16 MiB: one named on the command line, not a
/// kernel's; "-" is standard input. Errors: not_found, denied, io; invalid when it is larger.
Result<std::string> read_text_file(const std::string& path);

/// What messages about its text call it: "<stdin>" for "-".
std::string text_file_name(const std::string& path);

/// Writes `text` as the whole of `path`. Errors: denied, io, not_found (no such folder).
Status write_text_file(const std::string& path, std::string_view text);

}  // namespace tessera::app
