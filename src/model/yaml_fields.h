// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "base/result.h"

namespace tessera::model {

// Strict reading of YAML that people write: a host spec of the lab, /etc/tessera/host.yaml.

/// One YAML file while it is read. Keeps the first error; reading goes on with defaults after it,
/// so that readers need no error handling of their own and ask for `error()` once at the end.
class YamlDocument {
 public:
  explicit YamlDocument(std::string file) : file_(std::move(file)) {}

  /// Records "file:line:column: sentence", if it is the first error.
  void reject(const YAML::Mark& where, std::string sentence, std::string hint = {});
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::string file_;
  std::optional<Error> error_;
};

/// The one document in `text`; an empty one, and a rejection, where it is no YAML or holds two.
YAML::Node load_yaml(YamlDocument& document, std::string_view text);

/// A number of bytes with its unit: "4 GiB", "512MiB", "65536 bytes". Nothing for other texts, for
/// one without a unit too: a bare 4 could be anything.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// The keys of one YAML map, each read at most once with its type. Keys outside `known`, keys
/// given twice and things that are no map are rejected when the object is made.
class YamlFields {
 public:
  /// A closed range of whole numbers.
  struct Range {
    int least;
    int most;
  };

  YamlFields(YamlDocument& document, const YAML::Node& map, std::vector<std::string> known);

  [[nodiscard]] bool has(const std::string& key) const { return node(key).IsDefined(); }
  [[nodiscard]] YAML::Mark mark(const std::string& key) const;
  /// The value, or an empty string and a rejection when the key is missing.
  std::string required(const std::string& key);
  std::string text(const std::string& key, std::string otherwise = {});
  int number(const std::string& key, Range range, int otherwise);
  std::optional<int> maybe_number(const std::string& key, Range range);
  bool truth(const std::string& key);
  /// A number of bytes with its unit (parse_size()).
  std::optional<std::uint64_t> maybe_size(const std::string& key);
  /// The place of the value among `names`; place `otherwise` when the key is missing.
  std::size_t choice(const std::string& key, const std::vector<std::string>& names,
                     std::size_t otherwise);
  /// The items of a list of texts, or of maps; empty when the key is missing.
  std::vector<std::string> texts(const std::string& key);
  std::vector<YAML::Node> items(const std::string& key);
  /// The value as it is; undefined when the key is missing.
  [[nodiscard]] YAML::Node node(const std::string& key) const;

 private:
  std::optional<std::string> scalar(const std::string& key, std::string_view wanted);

  YamlDocument& document_;
  YAML::Node map_;
};

}  // namespace tessera::model
