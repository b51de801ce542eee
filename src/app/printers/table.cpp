// SPDX-License-Identifier: Apache-2.0
#include "app/printers/table.h"

#include <algorithm>

#include <fmt/format.h>

namespace tessera::app {

namespace {

std::vector<std::size_t> column_widths(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

}  // namespace

std::string table_text(const std::vector<std::vector<std::string>>& rows,
                       const ReportStyle& style) {
  auto widths = column_widths(rows);
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      bool last = i + 1 == row.size();
      line += last ? row[i] : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    bool indented = line.starts_with(' ');
    text += (indented || line.empty() ? line : bold(line, style)) + "\n";
  }
  return text;
}

}  // namespace tessera::app
