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

Reading<std::string> text_of(const Result<std::string>& content) {
  if (content) return std::string(text::trim(*content));
  if (content.error().kind == ErrorKind::not_found) return {};
  return Reading<std::string>::unreadable(why_unreadable(content.error()));
}

Reading<std::uint32_t> hex_of(const Result<std::string>& content, std::uint32_t largest) {
  return parsed<std::uint32_t>(text_of(content),
                               [&](std::string_view text) -> std::optional<std::uint32_t> {
                                 auto number = text::to_number(text, 16);
                                 if (!number || *number > largest) return std::nullopt;
                                 return static_cast<std::uint32_t>(*number);
                               });
}

Reading<int> int_of(const Result<std::string>& content) {
  return parsed<int>(text_of(content), parse_int);
}

Reading<bool> bool_of(const Result<std::string>& content) {
  return parsed<bool>(text_of(content), parse_bool);
}

Reading<std::string> link_name_of(const Result<std::string>& target) {
  if (target) return std::string(text::split(*target, '/').back());
  if (target.error().kind == ErrorKind::not_found) return {};
  return Reading<std::string>::unreadable(why_unreadable(target.error()));
}

Reading<std::string> read_text(const kernel::Root& root, std::string_view path) {
  return text_of(root.read(path));
}

Reading<std::uint32_t> read_hex(const kernel::Root& root, std::string_view path,
                                std::uint32_t largest) {
  return hex_of(root.read(path), largest);
}

Reading<int> read_int(const kernel::Root& root, std::string_view path) {
  return int_of(root.read(path));
}

Reading<bool> read_bool(const kernel::Root& root, std::string_view path) {
  return bool_of(root.read(path));
}

Reading<std::string> read_link_name(const kernel::Root& root, std::string_view path) {
  return link_name_of(root.read_link(path));
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
