// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::text {

/// `s` without leading and trailing white space (blank, tab, newline, carriage return).
std::string_view trim(std::string_view s);

/// Pieces of `s` between `separator`s; empty pieces are kept ("a,,b" gives 3).
std::vector<std::string_view> split(std::string_view s, char separator);

/// Words of `s` separated by runs of white space; never an empty word.
std::vector<std::string_view> words(std::string_view s);

/// Lines of `s`; a final newline does not make an empty last line.
std::vector<std::string_view> lines(std::string_view s);

/// The whole of `s` as an unsigned number in `base` (10 or 16; 16 takes an optional "0x").
/// Nothing on anything else: blanks, a sign, overflow, trailing text.
std::optional<std::uint64_t> to_number(std::string_view s, int base = 10);

/// `items` joined by `separator`.
std::string join(const std::vector<std::string>& items, std::string_view separator);

/// The candidate with the smallest edit distance to `word`, if it is near enough to be a typo
/// (at most 2 edits, or a third of its length); for "did you mean".
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

/// "32 GiB", "256 MiB", "512 bytes": the largest unit that gives a whole number.
std::string size(std::uint64_t bytes);

/// `s` with control and non-ASCII-printable bytes shown as \xNN, for messages that quote a file.
std::string printable(std::string_view s);

}  // namespace tessera::text
