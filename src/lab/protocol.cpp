// SPDX-License-Identifier: Apache-2.0
#include "lab/protocol.h"

#include <array>
#include <cerrno>
#include <cstdint>

#include <poll.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace tessera::lab {
namespace {

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t longest_line = 1U << 20U;

std::array<int, 256> letter_values() {
  std::array<int, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < letters.size(); ++i)
    values[static_cast<unsigned char>(letters[i])] = static_cast<int>(i);
  return values;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group =
          (group << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    std::size_t present = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= present ? letters[(group >> (18 - 6 * k)) & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  static const std::array<int, 256> values = letter_values();
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int value = i + padding >= text.size() ? 0 : values[static_cast<unsigned char>(text[i])];
    if (value < 0) return std::nullopt;
    group = (group << 6U) | static_cast<std::uint32_t>(value);
    if (i % 4 != 3) continue;
    for (unsigned shift : {16U, 8U, 0U}) out += static_cast<char>((group >> shift) & 255U);
    group = 0;
  }
  out.erase(out.size() - padding);
  return out;
}

void LineBuffer::add(std::string_view bytes) {
  bytes_ += bytes;
  if (bytes_.size() > longest_line && bytes_.find('\n') == std::string::npos) bytes_.clear();
}

std::optional<std::string> LineBuffer::next() {
  auto end = bytes_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = bytes_.substr(0, end);
  bytes_.erase(0, end + 1);
  return line;
}

nlohmann::json parse_message(const std::string& line) {
  nlohmann::json message = nlohmann::json::parse(line, nullptr, false);
  return message.is_object() ? message : nlohmann::json();
}

Status write_all(int fd, std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
      continue;
    }
    if (put < 0 && errno != EINTR && errno != EAGAIN)
      return fail(error_from_errno(errno, "lab agent", "write to"));
    pollfd wanted{fd, POLLOUT, 0};
    int ready = poll(&wanted, 1, static_cast<int>(deadline.left().count()));
    if (ready == 0) return fail(ErrorKind::timeout, "lab agent", "the other side does not read");
    if (ready > 0 && (wanted.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
      return fail(ErrorKind::io, "lab agent", "the other side hung up");
  }
  return {};
}

}  // namespace tessera::lab
