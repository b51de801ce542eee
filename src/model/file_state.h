// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tessera::model {

/// A small settings file as it was seen, for whoever plans to change it: the undo is made from it.
struct FileState {
  std::string path;
  std::optional<std::string> text;           ///< none: there is no such file
  std::vector<std::string> missing_folders;  ///< above it that are not there, the innermost first
  bool operator==(const FileState&) const = default;
};

}  // namespace tessera::model
