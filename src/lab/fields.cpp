// SPDX-License-Identifier: Apache-2.0
#include "lab/fields.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::lab {
namespace {

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  auto near = text::nearest(word, known);
  return near ? fmt::format("did you mean '{}'?", *near)
              : fmt::format("known are: {}", text::join(known, ", "));
}

}  // namespace

void Document::reject(const YAML::Mark& where, std::string sentence, std::string hint) {
  if (error_) return;
  std::string subject =
      where.is_null() ? file_ : fmt::format("{}:{}:{}", file_, where.line + 1, where.column + 1);
  error_ = Error{ErrorKind::invalid, std::move(subject), std::move(sentence), std::move(hint)};
}

Fields::Fields(Document& document, const YAML::Node& map, std::vector<std::string> known)
    : document_(document), map_(map) {
  if (!map.IsMap()) {
    document_.reject(map.Mark(), "here must be keys with values", did_you_mean("", known));
    map_ = YAML::Node(YAML::NodeType::Map);
    return;
  }
  std::set<std::string> seen;
  for (const auto& entry : map) {
    std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::find(known.begin(), known.end(), key) == known.end())
      document_.reject(entry.first.Mark(), fmt::format("unknown key '{}'", text::printable(key)),
                       did_you_mean(key, known));
    else if (!seen.insert(key).second)
      document_.reject(entry.first.Mark(), fmt::format("'{}' is given twice", key));
  }
}

YAML::Node Fields::node(const std::string& key) const {
  const YAML::Node& map = map_;  // the non-const operator[] would add the key
  return map[key];
}

YAML::Mark Fields::mark(const std::string& key) const {
  YAML::Node value = node(key);
  return value.IsDefined() ? value.Mark() : map_.Mark();
}

std::optional<std::string> Fields::scalar(const std::string& key, std::string_view wanted) {
  YAML::Node value = node(key);
  if (!value.IsDefined()) return std::nullopt;
  if (value.IsScalar() && !value.Scalar().empty()) return value.Scalar();
  document_.reject(value.Mark(), fmt::format("'{}' must be {}", key, wanted));
  return std::nullopt;
}

std::string Fields::required(const std::string& key) {
  if (!has(key)) document_.reject(map_.Mark(), fmt::format("the key '{}' is missing", key));
  return text(key);
}

std::string Fields::text(const std::string& key, std::string otherwise) {
  return scalar(key, "a text").value_or(std::move(otherwise));
}

int Fields::number(const std::string& key, Range range, int otherwise) {
  return maybe_number(key, range).value_or(otherwise);
}

std::optional<int> Fields::maybe_number(const std::string& key, Range range) {
  std::string wanted = fmt::format("a whole number from {} to {}", range.least, range.most);
  auto value = scalar(key, wanted);
  if (!value) return std::nullopt;
  auto number = text::to_number(*value);
  if (number && *number >= static_cast<std::uint64_t>(range.least) &&
      *number <= static_cast<std::uint64_t>(range.most))
    return static_cast<int>(*number);
  document_.reject(mark(key),
                   fmt::format("'{}' must be {}, not '{}'", key, wanted, text::printable(*value)));
  return std::nullopt;
}

bool Fields::truth(const std::string& key) {
  auto value = scalar(key, "true or false");
  if (!value) return false;
  if (*value != "true" && *value != "false")
    document_.reject(mark(key), fmt::format("'{}' must be true or false, not '{}'", key,
                                            text::printable(*value)));
  return *value == "true";
}

std::size_t Fields::choice(const std::string& key, const std::vector<std::string>& names,
                           std::size_t otherwise) {
  auto value = scalar(key, fmt::format("one of {}", text::join(names, ", ")));
  if (!value) return otherwise;
  auto place = std::find(names.begin(), names.end(), *value);
  if (place != names.end()) return static_cast<std::size_t>(place - names.begin());
  document_.reject(mark(key), fmt::format("'{}' cannot be '{}'", key, text::printable(*value)),
                   did_you_mean(*value, names));
  return otherwise;
}

std::vector<YAML::Node> Fields::items(const std::string& key) {
  YAML::Node list = node(key);
  if (!list.IsDefined()) return {};
  if (!list.IsSequence()) {
    document_.reject(list.Mark(), fmt::format("'{}' must be a list", key));
    return {};
  }
  return {list.begin(), list.end()};
}

std::vector<std::string> Fields::texts(const std::string& key) {
  std::vector<std::string> found;
  for (const YAML::Node& item : items(key)) {
    if (item.IsScalar() && !item.Scalar().empty())
      found.push_back(item.Scalar());
    else
      document_.reject(item.Mark(), fmt::format("'{}' must be a list of texts", key));
  }
  return found;
}

}  // namespace tessera::lab
