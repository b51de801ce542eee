// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tessera::lab {

/// What client and agent say to each other: JSON objects, one a line, bytes as base64.
///
///   client -> agent                                agent -> client
///   {"hello": NONCE}                               {"hello": NONCE}
///   {"enter": {"time_ms": N}}                      {"entered": true}, or an error
///   {"run": {"argv": [...], "env": {..},           {"out": BASE64}   standard output, or the
///   terminal
///            "cwd": DIR, "deadline_ms": N,         {"err": BASE64}   standard error
///            "terminal": {"rows":, "columns":}}}   {"exit": CODE}    the end of the command
///   {"in": BASE64}    "" is the end of input       {"signal": N}     or: a signal ended it
///   {"window": {"rows":, "columns":}}              {"late": true}    or: its deadline did
///                                                  {"error": SENTENCE}  or: it could not start
///                                                  {"alive": true}   every `heartbeat` of a
///                                                  command
///
/// Whoever connects says hello first and ignores all lines before the echo: they were meant for
/// the one before. Whoever booted or resumed the host then enters it (N: milliseconds since 1970);
/// entering again does nothing. A hang-up kills the command. A hello is sent after a newline, so
/// that it is understood even behind half a line.

/// How often the agent says that it is alive while a command runs.
constexpr Milliseconds heartbeat = std::chrono::seconds(15);

std::string base64(std::string_view bytes);
/// Nothing if `text` is not base64.
std::optional<std::string> from_base64(std::string_view text);

/// Lines cut out of a stream of bytes; a line longer than 1 MiB is dropped as noise.
class LineBuffer {
 public:
  void add(std::string_view bytes);
  /// The next complete line without its newline.
  std::optional<std::string> next();
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

/// A line as a JSON object; null when it is none.
nlohmann::json parse_message(const std::string& line);

/// Writes all of `bytes` to a non-blocking or blocking descriptor.
/// Errors: timeout, io (also when the other side hung up).
Status write_all(int fd, std::string_view bytes, Deadline deadline);

}  // namespace tessera::lab
