// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "model/json_text.h"
#include "model/reading.h"

namespace tessera::model {

/// Puts a reading under `key`, as `show` makes it JSON: a value as such, an unreadable one as
/// {"unreadable": "EACCES"}, an absent one not at all.
template <typename T, typename Show>
void put(nlohmann::ordered_json& json, const char* key, const Reading<T>& reading, Show show) {
  if (reading.has_value()) {
    json[key] = show(reading.value());
  } else if (reading.is_unreadable()) {
    json[key] = {{"unreadable", json_text(reading.why())}};
  }
}

template <typename T>
void put(nlohmann::ordered_json& json, const char* key, const Reading<T>& reading) {
  put(json, key, reading, [](const T& value) { return nlohmann::ordered_json(value); });
}

inline void put(nlohmann::ordered_json& json, const char* key,
                const Reading<std::string>& reading) {
  put(json, key, reading, json_text);
}

}  // namespace tessera::model
