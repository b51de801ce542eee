// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include <fmt/format.h>

namespace tessera::text {

namespace {

constexpr std::string_view white_space = " \t\n\r";

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substitute, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view trim(std::string_view s) {
  auto first = s.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(white_space) - first + 1);
}

std::vector<std::string_view> split(std::string_view s, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    auto end = s.find(separator);
    pieces.push_back(s.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    s.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words(std::string_view s) {
  std::vector<std::string_view> found;
  for (;;) {
    auto first = s.find_first_not_of(white_space);
    if (first == std::string_view::npos) return found;
    s.remove_prefix(first);
    auto end = std::min(s.find_first_of(white_space), s.size());
    found.push_back(s.substr(0, end));
    s.remove_prefix(end);
  }
}

std::vector<std::string_view> lines(std::string_view s) {
  if (s.empty()) return {};
  if (s.back() == '\n') s.remove_suffix(1);
  return split(s, '\n');
}

std::optional<std::uint64_t> to_number(std::string_view s, int base) {
  if (base == 16 && (s.starts_with("0x") || s.starts_with("0X"))) s.remove_prefix(2);
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value, base);
  if (s.empty() || error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return value;
}

std::string join(const std::vector<std::string>& items, std::string_view separator) {
  return fmt::format("{}", fmt::join(items, separator));
}

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    auto distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

std::string printable(std::string_view s) {
  std::string out;
  for (char c : s) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : fmt::format("\\x{:02x}", byte);
    }
  }
  return out;
}

std::string size(std::uint64_t bytes) {
  struct Unit {
    std::uint64_t bytes;
    std::string_view name;
  };
  constexpr Unit units[] = {{std::uint64_t{1} << 40, "TiB"},
                            {std::uint64_t{1} << 30, "GiB"},
                            {std::uint64_t{1} << 20, "MiB"},
                            {std::uint64_t{1} << 10, "KiB"}};
  for (const auto& [one, name] : units) {
    if (bytes >= one && bytes % one == 0) return fmt::format("{} {}", bytes / one, name);
  }
  return fmt::format("{} bytes", bytes);
}

}  // namespace tessera::text
