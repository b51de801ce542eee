// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/verb.h"
#include "model/json.h"

namespace tessera::app {

int exit_code_of(const std::vector<model::Finding>& findings) {
  int code = exit_ok;
  for (const model::Finding& finding : findings) {
    if (finding.severity == model::Severity::error) return exit_errors;
    if (finding.severity == model::Severity::warning) code = exit_warnings;
  }
  return code;
}

int report(const Session& session, const Error& error) {
  if (session.json) fmt::print("{}\n", model::to_json(error).dump(2));
  fmt::print(stderr, "tessera: {}\n", one_line(error));
  if (!error.hint.empty()) fmt::print(stderr, "  hint: {}\n", error.hint);
  return exit_code_of(error.kind);
}

}  // namespace tessera::app
