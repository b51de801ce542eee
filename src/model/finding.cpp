// SPDX-License-Identifier: Apache-2.0
#include "model/finding.h"

namespace tessera::model {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "error";
}

}  // namespace tessera::model
