// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/pci.h"

namespace tessera::model {

enum class Severity { note, warning, error };
std::string_view to_string(Severity severity);

/// What was read, and where: a path and the text seen there (or "is not there").
struct Evidence {
  std::string path;
  std::string text;
  bool operator==(const Evidence&) const = default;
};

/// Something the doctor saw. A person must be able to check it (evidence), understand it (cause,
/// consequence) and act on it (fix, command) without another source.
struct Finding {
  std::string id;  ///< stable, kebab-case, "group-shared"; has a page in docs/doctor.md
  Severity severity = Severity::note;
  std::optional<PciAddress> card;  ///< the card it is about; none: the host
  std::string title;
  std::vector<Evidence> evidence;
  std::string cause;
  std::string consequence;
  std::string fix;      ///< in words, exact
  std::string command;  ///< the command that does it; empty when only a person can
};

}  // namespace tessera::model
