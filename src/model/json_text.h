// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace tessera::model {

/// A JSON string of `text`. JSON is UTF-8 and a process name or kernel line need not be: bytes that
/// are not become U+FFFD here, so that printing the document can never fail.
nlohmann::ordered_json json_text(const std::string& text);
nlohmann::ordered_json json_texts(const std::vector<std::string>& texts);

}  // namespace tessera::model
