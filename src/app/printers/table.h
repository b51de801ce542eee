// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "app/printers/style.h"

namespace tessera::app {

/// A table for people: the first row is the heading, columns are as wide as their widest cell,
/// the last one is not padded, two blanks are between them. The heading and the rows whose first
/// cell is not indented are bold where the style has colors.
std::string table_text(const std::vector<std::vector<std::string>>& rows, const ReportStyle& style);

}  // namespace tessera::app
