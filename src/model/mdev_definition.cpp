// SPDX-License-Identifier: Apache-2.0
#include "model/mdev_definition.h"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/json_text.h"

namespace tessera::model {

namespace {

using Json = nlohmann::ordered_json;
using Start = MdevDefinition::Start;

constexpr const char* type_key = "mdev_type";
constexpr const char* start_key = "start";
constexpr const char* attrs_key = "attrs";
constexpr int indent = 2;

std::unexpected<Error> wrong(std::string_view file, std::string sentence) {
  return fail(ErrorKind::invalid, std::string(file), std::move(sentence));
}

// --- checks of the parts

constexpr std::string_view no_nul("\0", 1);

bool is_one_piece(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && !name.contains('/') &&
         !name.contains(no_nul);
}

/// Below the device's directory, and nowhere else.
bool stays_below(std::string_view path) {
  return !path.contains(no_nul) && std::ranges::all_of(text::split(path, '/'), is_one_piece);
}

// --- reading JSON

struct LineAndColumn {
  std::size_t line = 1;
  std::size_t column = 1;
};

/// Of the character before which `byte` bytes lie.
LineAndColumn place_of(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, std::min(byte, text.size()));
  const auto last_line = before.rfind('\n');
  return {1 + static_cast<std::size_t>(std::ranges::count(before, '\n')),
          1 + before.size() - (last_line == std::string_view::npos ? 0 : last_line + 1)};
}

/// What the parser says, without its own name and its own count of lines.
std::string parser_words(std::string_view what) {
  const auto place = what.find("column ");
  const auto words = what.find(": ", place == std::string_view::npos ? 0 : place);
  return text::printable(words == std::string_view::npos ? what : what.substr(words + 2));
}

/// A key that the text has twice in its outermost object is a mistake nobody can read in two ways.
Result<Json> parse(std::string_view text, std::string_view file) {
  std::set<std::string> keys;
  std::string twice;
  const auto look = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::key && depth == 1 &&
        !keys.insert(value.get<std::string>()).second && twice.empty()) {
      twice = value.get<std::string>();
    }
    return true;
  };
  try {
    Json json = Json::parse(text, look);
    if (twice.empty()) return json;
    return wrong(file, fmt::format("the key '{}' is given twice", text::printable(twice)));
  } catch (const Json::parse_error& error) {
    const auto [line, column] = place_of(text, error.byte == 0 ? 0 : error.byte - 1);
    return fail(ErrorKind::invalid, fmt::format("{}:{}:{}", file, line, column),
                fmt::format("it is no JSON: {}", parser_words(error.what())));
  } catch (const Json::exception& error) {
    return wrong(file, fmt::format("it is no JSON: {}", parser_words(error.what())));
  }
}

Result<std::string> read_text(const Json& json, const char* key, std::string_view file) {
  const auto found = json.find(key);
  if (found == json.end()) return wrong(file, fmt::format("the key '{}' is missing", key));
  if (!found->is_string()) return wrong(file, fmt::format("'{}' must be a text", key));
  return found->get<std::string>();
}

Result<Start> read_start(const Json& json, std::string_view file) {
  TRY_LET(const std::string word, read_text(json, start_key, file));
  for (const Start start : {Start::manual, Start::automatic}) {
    if (to_string(start) == word) return start;
  }
  return wrong(file, fmt::format("'{}' must be \"auto\" or \"manual\", not '{}'", start_key,
                                 text::printable(word)));
}

Result<MdevAttribute> read_attribute(const Json& json, std::size_t index, std::string_view file) {
  if (!json.is_object() || json.size() != 1) {
    return wrong(file,
                 fmt::format("{}[{}] must be one name with its value, {{\"NAME\": \"VALUE\"}}",
                             attrs_key, index));
  }
  const auto& value = json.front();
  if (!value.is_string()) {
    return wrong(file, fmt::format("the value in {}[{}] must be a text; a number needs its quotes "
                                   "too",
                                   attrs_key, index));
  }
  return MdevAttribute{json.begin().key(), value.get<std::string>()};
}

Result<std::vector<MdevAttribute>> read_attributes(const Json& json, std::string_view file) {
  std::vector<MdevAttribute> attributes;
  const auto found = json.find(attrs_key);
  if (found == json.end() || found->is_null()) return attributes;
  if (!found->is_array()) return wrong(file, fmt::format("'{}' must be a list", attrs_key));
  for (const auto& item : *found) {
    TRY_LET(auto attribute, read_attribute(item, attributes.size(), file));
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

Result<MdevDefinition> read_definition(const Json& json, std::string_view parent, const Uuid& uuid,
                                       std::string_view file) {
  if (!json.is_object()) return wrong(file, "a definition is one JSON object, {...}");
  MdevDefinition definition;
  definition.uuid = uuid;
  definition.parent = parent;
  TRY_LET(definition.mdev_type, read_text(json, type_key, file));
  TRY_LET(definition.start, read_start(json, file));
  TRY_LET(definition.attrs, read_attributes(json, file));
  auto checked = check(definition);
  if (!checked) return wrong(file, checked.error().sentence);
  return definition;
}

/// The devices of one parent, {"PARENT": [{"UUID": {...}}, ...]}, added to `all`.
Status read_parent(const Json& json, std::string_view file, std::vector<MdevDefinition>& all) {
  for (const auto& [parent, devices] : json.items()) {
    if (!devices.is_array()) {
      return wrong(file, fmt::format("'{}' must be a list of devices", text::printable(parent)));
    }
    for (const auto& device : devices) {
      if (!device.is_object() || device.size() != 1) {
        return wrong(file, "a device is {\"UUID\": {...}}");
      }
      const auto uuid = parse_uuid(device.begin().key());
      if (!uuid) return wrong(file, one_line(uuid.error()));
      TRY_LET(auto definition, read_definition(device.front(), parent, *uuid, file));
      all.push_back(std::move(definition));
    }
  }
  return {};
}

// --- writing JSON

Json body(const MdevDefinition& definition) {
  Json attributes = Json::array();
  for (const auto& attribute : definition.attrs) {
    Json one = Json::object();
    one[json_text(attribute.name).get<std::string>()] = json_text(attribute.value);
    attributes.push_back(std::move(one));
  }
  return {{type_key, json_text(definition.mdev_type)},
          {start_key, to_string(definition.start)},
          {attrs_key, std::move(attributes)}};
}

void sort_as_mdevctl(std::vector<MdevDefinition>& definitions) {
  std::ranges::stable_sort(
      definitions, {}, [](const MdevDefinition& one) { return std::tie(one.parent, one.uuid); });
}

}  // namespace

std::string_view to_string(MdevDefinition::Start start) {
  return start == Start::automatic ? "auto" : "manual";
}

Status check(const MdevDefinition& definition) {
  const auto subject = to_string(definition.uuid);
  if (!is_one_piece(definition.parent)) {
    return fail(ErrorKind::invalid, subject,
                fmt::format("'{}' cannot be a parent's name", text::printable(definition.parent)));
  }
  if (!is_one_piece(definition.mdev_type)) {
    return fail(
        ErrorKind::invalid, subject,
        fmt::format("'{}' cannot be an {}", text::printable(definition.mdev_type), type_key));
  }
  for (const auto& attribute : definition.attrs) {
    if (stays_below(attribute.name)) continue;
    return fail(ErrorKind::invalid, subject,
                fmt::format("the attribute '{}' is no file below the device",
                            text::printable(attribute.name)));
  }
  return {};
}

Result<MdevDefinition> parse_mdev_definition(std::string_view text, std::string_view parent,
                                             const Uuid& uuid, std::string_view file) {
  TRY_LET(const Json json, parse(text, file));
  return read_definition(json, parent, uuid, file);
}

std::string mdevctl_file(const MdevDefinition& definition) {
  return body(definition).dump(indent);
}

std::string mdevctl_list(std::vector<MdevDefinition> definitions) {
  sort_as_mdevctl(definitions);
  std::string out;
  for (const auto& one : definitions) {
    out += fmt::format("{} {} {} {}\n", to_string(one.uuid), one.parent, one.mdev_type,
                       to_string(one.start));
  }
  return out;
}

std::string mdevctl_list_json(std::vector<MdevDefinition> definitions) {
  sort_as_mdevctl(definitions);
  Json all = Json::array();
  std::string parent;
  for (const auto& one : definitions) {
    if (all.empty() || parent != one.parent) {
      parent = one.parent;
      all.push_back(Json::object());
    }
    auto& devices = all.back()[json_text(parent).get<std::string>()];
    devices.push_back(Json::object({{to_string(one.uuid), body(one)}}));
  }
  return all.dump(indent) + "\n";
}

Result<std::vector<MdevDefinition>> parse_mdevctl_list_json(std::string_view text,
                                                            std::string_view file) {
  TRY_LET(const Json json, parse(text, file));
  if (!json.is_array()) return wrong(file, "a list of parents is one JSON array, [...]");
  std::vector<MdevDefinition> all;
  for (const auto& parent : json) {
    if (!parent.is_object()) return wrong(file, "a parent is {\"NAME\": [DEVICES]}");
    TRY(read_parent(parent, file, all));
  }
  return all;
}

}  // namespace tessera::model
