// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/json.h"
#include "model/json_text.h"

namespace tessera::model {

using Json = nlohmann::ordered_json;

namespace {

Json to_json(const Expectation& expectation) {
  return {{"what", to_string(expectation.what)},
          {"path", json_text(expectation.path)},
          {"value", json_text(expectation.value)}};
}

Json to_json(const LateWrite& write) {
  return {{"path", json_text(write.path)}, {"text", json_text(write.text)}};
}

Json to_json(const Step& step);

template <typename T>
Json list_of(const std::vector<T>& items) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(to_json(item));
  return list;
}

Json to_json(const Step& step) {
  Json json = {{"action", to_string(step.action)},
               {"path", json_text(step.path)},
               {"text", json_text(step.text)},
               {"reason", json_text(step.reason)}};
  if (step.word) {
    json["word"] = {{"tool", json_text(step.word->tool)},
                    {"pattern", json_text(step.word->pattern)}};
  }
  json["only_if"] = list_of(step.only_if);
  json["then"] = list_of(step.then);
  json["late"] = list_of(step.late);
  json["deadline_ms"] = step.deadline_ms;
  return json;
}

}  // namespace

nlohmann::ordered_json to_json(const Operation& operation) {
  Json json = {{"kind", json_text(operation.kind)}, {"subject", json_text(operation.subject)}};
  if (!operation.uses.empty()) json["uses"] = json_texts(operation.uses);
  json["reason"] = json_text(operation.reason);
  json["before"] = list_of(operation.before);
  json["forward"] = list_of(operation.forward);
  json["after"] = list_of(operation.after);
  json["undo"] = list_of(operation.undo);
  json["after_undo"] = list_of(operation.after_undo);
  return json;
}

nlohmann::ordered_json to_json(const Plan& plan) {
  Json operations = Json::array();
  for (const auto& operation : plan.operations) operations.push_back(to_json(operation));
  return {{"schema", plan_schema},
          {"title", json_text(plan.title)},
          {"subject", json_text(plan.subject)},
          {"operations", std::move(operations)},
          {"notes", json_texts(plan.notes)}};
}

namespace {

/// A JSON value and the way to it from the document's top, so that an error can name the key.
struct Place {
  const Json& json;
  std::string where;
};

std::unexpected<Error> wrong(const std::string& where, std::string sentence) {
  return fail(ErrorKind::invalid, where.empty() ? "the document" : where, std::move(sentence));
}

Result<Place> member(const Place& place, const char* key) {
  std::string where = place.where.empty() ? key : place.where + "." + key;
  if (!place.json.is_object()) return wrong(place.where, "must be an object");
  auto found = place.json.find(key);
  if (found == place.json.end()) return wrong(where, "this key is missing");
  return Place{*found, std::move(where)};
}

Result<std::string> read_text(const Place& place, const char* key) {
  TRY_LET(Place value, member(place, key));
  if (!value.json.is_string()) return wrong(value.where, "must be a string");
  return value.json.get<std::string>();
}

template <typename Enum>
Result<Enum> read_enum(const Place& place, const char* key, Enum last) {
  TRY_LET(std::string name, read_text(place, key));
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (to_string(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
  }
  TRY_LET(Place value, member(place, key));
  return wrong(value.where, fmt::format("'{}' is no known {}", text::printable(name), key));
}

template <typename T, typename Read>
Result<std::vector<T>> read_list(const Place& place, const char* key, Read read) {
  TRY_LET(Place value, member(place, key));
  if (!value.json.is_array()) return wrong(value.where, "must be an array");
  std::vector<T> items;
  for (std::size_t i = 0; i < value.json.size(); ++i) {
    TRY_LET(T item, read(Place{value.json[i], fmt::format("{}[{}]", value.where, i)}));
    items.push_back(std::move(item));
  }
  return items;
}

Result<Expectation> read_expectation(const Place& place) {
  Expectation expectation;
  TRY_LET(expectation.what, read_enum(place, "what", Expectation::What::tool_says_not));
  TRY_LET(expectation.path, read_text(place, "path"));
  TRY_LET(expectation.value, read_text(place, "value"));
  return expectation;
}

Result<LateWrite> read_late_write(const Place& place) {
  LateWrite write;
  TRY_LET(write.path, read_text(place, "path"));
  TRY_LET(write.text, read_text(place, "text"));
  return write;
}

/// Most steps have none.
Result<std::optional<ToolWord>> read_tool_word(const Place& place) {
  if (place.json.is_object() && !place.json.contains("word")) return std::nullopt;
  TRY_LET(Place value, member(place, "word"));
  ToolWord word;
  TRY_LET(word.tool, read_text(value, "tool"));
  TRY_LET(word.pattern, read_text(value, "pattern"));
  return word;
}

Result<int> read_deadline(const Place& place) {
  TRY_LET(Place value, member(place, "deadline_ms"));
  if (!value.json.is_number_integer()) return wrong(value.where, "must be a whole number");
  bool huge =
      value.json.is_number_unsigned() &&
      value.json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<int>::max());
  if (huge || value.json.get<std::int64_t>() < 0) {
    return wrong(value.where, "must be between 0 and 2147483647 milliseconds");
  }
  return value.json.get<int>();
}

Result<Step> read_step(const Place& place) {
  Step step;
  TRY_LET(step.action, read_enum(place, "action", Step::Action::disown));
  TRY_LET(step.path, read_text(place, "path"));
  TRY_LET(step.text, read_text(place, "text"));
  TRY_LET(step.word, read_tool_word(place));
  TRY_LET(step.reason, read_text(place, "reason"));
  TRY_LET(step.only_if, read_list<Expectation>(place, "only_if", read_expectation));
  TRY_LET(step.then, read_list<Expectation>(place, "then", read_expectation));
  TRY_LET(step.late, read_list<LateWrite>(place, "late", read_late_write));
  TRY_LET(step.deadline_ms, read_deadline(place));
  return step;
}

Result<std::string> read_string(const Place& place) {
  if (!place.json.is_string()) return wrong(place.where, "must be a string");
  return place.json.get<std::string>();
}

Result<Operation> read_operation(const Place& place) {
  Operation operation;
  TRY_LET(operation.kind, read_text(place, "kind"));
  TRY_LET(operation.subject, read_text(place, "subject"));
  if (place.json.contains("uses")) {
    TRY_LET(operation.uses, read_list<std::string>(place, "uses", read_string));
  }
  TRY_LET(operation.reason, read_text(place, "reason"));
  TRY_LET(operation.before, read_list<Expectation>(place, "before", read_expectation));
  TRY_LET(operation.forward, read_list<Step>(place, "forward", read_step));
  TRY_LET(operation.after, read_list<Expectation>(place, "after", read_expectation));
  TRY_LET(operation.undo, read_list<Step>(place, "undo", read_step));
  TRY_LET(operation.after_undo, read_list<Expectation>(place, "after_undo", read_expectation));
  return operation;
}

Result<Json> parse(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    return wrong({}, fmt::format("is no JSON: {}", text::printable(error.what())));
  }
}

}  // namespace

Result<Plan> plan_from_json(std::string_view text) {
  TRY_LET(Json json, parse(text));
  Place top{json, {}};
  TRY_LET(std::string schema, read_text(top, "schema"));
  if (schema != plan_schema) {
    return wrong("schema", fmt::format("'{}' is not the schema read here, {}",
                                       text::printable(schema), plan_schema));
  }
  Plan plan;
  TRY_LET(plan.title, read_text(top, "title"));
  TRY_LET(plan.subject, read_text(top, "subject"));
  TRY_LET(plan.operations, read_list<Operation>(top, "operations", read_operation));
  TRY_LET(plan.notes, read_list<std::string>(top, "notes", read_string));
  return plan;
}

Result<Operation> operation_from_json(std::string_view text) {
  TRY_LET(Json json, parse(text));
  return read_operation(Place{json, {}});
}

}  // namespace tessera::model
