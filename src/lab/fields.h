// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "base/result.h"

namespace tessera::lab {

/// One YAML file while it is read. Keeps the first error; reading goes on with defaults after it,
/// so that readers need no error handling of their own and ask for `error()` once at the end.
class Document {
 public:
  explicit Document(std::string file) : file_(std::move(file)) {}

  /// Records "file:line:column: sentence", if it is the first error.
  void reject(const YAML::Mark& where, std::string sentence, std::string hint = {});
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::string file_;
  std::optional<Error> error_;
};

/// A closed range of whole numbers.
struct Range {
  int least;
  int most;
};

/// The keys of one YAML map, each read at most once with its type. Keys outside `known`, keys
/// given twice and things that are no map are rejected when the object is made.
class Fields {
 public:
  Fields(Document& document, const YAML::Node& map, std::vector<std::string> known);

  [[nodiscard]] bool has(const std::string& key) const { return node(key).IsDefined(); }
  [[nodiscard]] YAML::Mark mark(const std::string& key) const;
  /// The value, or an empty string and a rejection when the key is missing.
  std::string required(const std::string& key);
  std::string text(const std::string& key, std::string otherwise = {});
  int number(const std::string& key, Range range, int otherwise);
  std::optional<int> maybe_number(const std::string& key, Range range);
  bool truth(const std::string& key);
  /// The place of the value among `names`; place `otherwise` when the key is missing.
  std::size_t choice(const std::string& key, const std::vector<std::string>& names,
                     std::size_t otherwise);
  /// The items of a list of texts, or of maps; empty when the key is missing.
  std::vector<std::string> texts(const std::string& key);
  std::vector<YAML::Node> items(const std::string& key);

 private:
  [[nodiscard]] YAML::Node node(const std::string& key) const;
  std::optional<std::string> scalar(const std::string& key, std::string_view wanted);

  Document& document_;
  YAML::Node map_;
};

}  // namespace tessera::lab
