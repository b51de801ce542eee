// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tessera::cases {

/// One line of a case after its head: what to do or what must hold.
struct Line {
  enum class Kind { run, exit_code, expect, reject, link, text };
  Kind kind = Kind::run;
  std::string argument;
  std::size_t number = 0;  ///< in the file, from 1
};

/// One case of a *.case file (see README.md).
struct Case {
  std::string name;
  std::string host;
  bool on_fake = true;
  bool on_lab = true;
  std::string needs;  ///< a command that must succeed here for the case to make sense; may be empty
  std::vector<Line> lines;
};

/// Errors: invalid, with file and line: an unknown word, a check before any RUN, a case without
/// NAME, HOST or any check.
Result<std::vector<Case>> parse_cases(std::string_view text, std::string_view file);

}  // namespace tessera::cases
