// SPDX-License-Identifier: Apache-2.0
#include "probe/read.h"

#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::probe {

using model::Reading;

namespace {

/// Turns the text of a reading into a value; text that `parse` refuses makes it unreadable.
template <typename T, typename Parse>
Reading<T> parsed(const Reading<std::string>& text, Parse parse) {
  if (text.is_absent()) return {};
  if (!text.has_value()) return Reading<T>::unreadable(text.why());
  if (auto value = parse(text.value())) return Reading<T>(*value);
  return Reading<T>::unreadable(
      fmt::format("unexpected text '{}'", text::printable(text.value().substr(0, 40))));
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "1" || text == "Y") return true;
  if (text == "0" || text == "N") return false;
  return std::nullopt;
}

}  // namespace

std::string why_unreadable(const Error& error) {
  auto open = error.sentence.rfind("(E");
  auto close = error.sentence.find(')', open == std::string::npos ? 0 : open);
  if (open != std::string::npos && close != std::string::npos) {
    return error.sentence.substr(open + 1, close - open - 1);
  }
  return std::string(to_string(error.kind));
}

Reading<std::string> read_text(const kernel::Root& root, std::string_view path) {
  auto text = root.read(path);
  if (text) return std::string(text::trim(*text));
  if (text.error().kind == ErrorKind::not_found) return {};
  return Reading<std::string>::unreadable(why_unreadable(text.error()));
}

Reading<std::uint32_t> read_hex(const kernel::Root& root, std::string_view path,
                                std::uint32_t largest) {
  return parsed<std::uint32_t>(read_text(root, path),
                               [&](std::string_view text) -> std::optional<std::uint32_t> {
                                 auto number = text::to_number(text, 16);
                                 if (!number || *number > largest) return std::nullopt;
                                 return static_cast<std::uint32_t>(*number);
                               });
}

Reading<int> read_int(const kernel::Root& root, std::string_view path) {
  return parsed<int>(read_text(root, path), parse_int);
}

Reading<bool> read_bool(const kernel::Root& root, std::string_view path) {
  return parsed<bool>(read_text(root, path), parse_bool);
}

Reading<std::string> read_link_name(const kernel::Root& root, std::string_view path) {
  auto target = root.read_link(path);
  if (target) return std::string(text::split(*target, '/').back());
  if (target.error().kind == ErrorKind::not_found) return {};
  return Reading<std::string>::unreadable(why_unreadable(target.error()));
}

std::optional<int> parse_int(std::string_view text) {
  bool negative = text.starts_with('-');
  auto number = text::to_number(negative ? text.substr(1) : text);
  if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    return std::nullopt;
  }
  int value = static_cast<int>(*number);
  return negative ? -value : value;
}

}  // namespace tessera::probe
