// SPDX-License-Identifier: Apache-2.0
#include "model/yaml_fields.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

#include "base/text.h"
#include "base/utf8.h"

namespace tessera::model {
namespace {

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  auto near = text::nearest(word, known);
  return near ? fmt::format("did you mean '{}'?", *near)
              : fmt::format("known are: {}", text::join(known, ", "));
}

}  // namespace

void YamlDocument::reject(const YAML::Mark& where, std::string sentence, std::string hint) {
  if (error_) return;
  std::string subject =
      where.is_null() ? file_ : fmt::format("{}:{}:{}", file_, where.line + 1, where.column + 1);
  error_ = Error{ErrorKind::invalid, std::move(subject), std::move(sentence), std::move(hint)};
}

namespace {

/// Bytes that YAML does not allow (YAML 1.2.2, section 5.1).
/// Where the first one is; nothing where there is none.
std::optional<std::size_t> first_forbidden_byte(std::string_view text) {
  const auto control = std::ranges::find_if(text, [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' && c != '\r';
  });
  if (control != text.end()) return static_cast<std::size_t>(control - text.begin());
  if (text::is_utf8(text)) return std::nullopt;
  std::size_t good = 0;  // bytes up to the end of the last line that is good
  for (const auto line : text::lines(text)) {
    if (!text::is_utf8(line)) break;
    good += line.size() + 1;
  }
  return good;
}

YAML::Mark mark_at(std::string_view text, std::size_t place) {
  const auto before = text.substr(0, place);
  const auto last_line = before.rfind('\n');
  YAML::Mark mark;
  mark.pos = static_cast<int>(place);
  mark.line = static_cast<int>(std::ranges::count(before, '\n'));
  mark.column =
      static_cast<int>(before.size() - (last_line == std::string_view::npos ? 0 : last_line + 1));
  return mark;
}

/// Only where documents begin is of interest.
class DocumentStarts : public YAML::EventHandler {
 public:
  YAML::Mark last = YAML::Mark::null_mark();

  void OnDocumentStart(const YAML::Mark& mark) override { last = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

/// YAML::Load() reads the first document and passes over what follows: a second one, or a bracket
/// too many. (YAML::LoadAll() of yaml-cpp 0.7 never ends on the latter.)
void reject_second_document(YamlDocument& document, std::string_view text) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  DocumentStarts starts;
  if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return;
  document.reject(starts.last, "here begins what is no part of the document above it");
}

}  // namespace

YAML::Node load_yaml(YamlDocument& document, std::string_view text) {
  if (const auto place = first_forbidden_byte(text)) {
    document.reject(mark_at(text, *place),
                    "this is not YAML: here are bytes that are no text (it has to be UTF-8)");
    return {};
  }
  try {
    reject_second_document(document, text);
    return YAML::Load(std::string(text));
  } catch (const YAML::Exception& problem) {
    document.reject(problem.mark, fmt::format("this is not YAML: {}", problem.msg));
    return {};
  }
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::pair<std::string_view, int> units[] = {
      {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"bytes", 0}};
  for (const auto& [name, shift] : units) {
    if (!text.ends_with(name)) continue;
    const auto number = text::to_number(text::trim(text.substr(0, text.size() - name.size())));
    if (!number || *number > (UINT64_MAX >> shift)) return std::nullopt;
    return *number << shift;
  }
  return std::nullopt;
}

YamlFields::YamlFields(YamlDocument& document, const YAML::Node& map,
                       std::vector<std::string> known)
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

YAML::Node YamlFields::node(const std::string& key) const {
  const YAML::Node& map = map_;  // the non-const operator[] would add the key
  return map[key];
}

YAML::Mark YamlFields::mark(const std::string& key) const {
  YAML::Node value = node(key);
  return value.IsDefined() ? value.Mark() : map_.Mark();
}

std::optional<std::string> YamlFields::scalar(const std::string& key, std::string_view wanted) {
  YAML::Node value = node(key);
  if (!value.IsDefined()) return std::nullopt;
  if (value.IsScalar() && !value.Scalar().empty()) return value.Scalar();
  document_.reject(value.Mark(), fmt::format("'{}' must be {}", key, wanted));
  return std::nullopt;
}

std::string YamlFields::required(const std::string& key) {
  if (!has(key)) document_.reject(map_.Mark(), fmt::format("the key '{}' is missing", key));
  return text(key);
}

std::string YamlFields::text(const std::string& key, std::string otherwise) {
  return scalar(key, "a text").value_or(std::move(otherwise));
}

int YamlFields::number(const std::string& key, Range range, int otherwise) {
  return maybe_number(key, range).value_or(otherwise);
}

std::optional<int> YamlFields::maybe_number(const std::string& key, Range range) {
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

bool YamlFields::truth(const std::string& key) {
  auto value = scalar(key, "true or false");
  if (!value) return false;
  if (*value != "true" && *value != "false")
    document_.reject(mark(key), fmt::format("'{}' must be true or false, not '{}'", key,
                                            text::printable(*value)));
  return *value == "true";
}

std::optional<std::uint64_t> YamlFields::maybe_size(const std::string& key) {
  auto value = scalar(key, "a size with its unit");
  if (!value) return std::nullopt;
  auto bytes = parse_size(*value);
  if (!bytes) {
    document_.reject(mark(key),
                     fmt::format("'{}' must be a size with its unit, such as 512 MiB or 4 GiB, not "
                                 "'{}'",
                                 key, text::printable(*value)));
  }
  return bytes;
}

std::size_t YamlFields::choice(const std::string& key, const std::vector<std::string>& names,
                               std::size_t otherwise) {
  auto value = scalar(key, fmt::format("one of {}", text::join(names, ", ")));
  if (!value) return otherwise;
  auto place = std::find(names.begin(), names.end(), *value);
  if (place != names.end()) return static_cast<std::size_t>(place - names.begin());
  document_.reject(mark(key), fmt::format("'{}' cannot be '{}'", key, text::printable(*value)),
                   did_you_mean(*value, names));
  return otherwise;
}

std::vector<YAML::Node> YamlFields::items(const std::string& key) {
  YAML::Node list = node(key);
  if (!list.IsDefined()) return {};
  if (!list.IsSequence()) {
    document_.reject(list.Mark(), fmt::format("'{}' must be a list", key));
    return {};
  }
  return {list.begin(), list.end()};
}

std::vector<std::string> YamlFields::texts(const std::string& key) {
  std::vector<std::string> found;
  for (const YAML::Node& item : items(key)) {
    if (item.IsScalar() && !item.Scalar().empty())
      found.push_back(item.Scalar());
    else
      document_.reject(item.Mark(), fmt::format("'{}' must be a list of texts", key));
  }
  return found;
}

}  // namespace tessera::model
