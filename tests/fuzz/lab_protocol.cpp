// SPDX-License-Identifier: Apache-2.0
// What client and agent of the lab read from each other: however a stream arrives in pieces, it
// gives the same lines; base64 is its own inverse; a line that is no object is null.
#include <vector>

#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "lab/protocol.h"

namespace {

using tessera::fuzz::must;
namespace lab = tessera::lab;

std::vector<std::string> lines_of(std::string_view stream, std::size_t piece) {
  std::vector<std::string> lines;
  lab::LineBuffer buffer;
  while (!stream.empty()) {
    buffer.add(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
    while (auto line = buffer.next()) lines.push_back(*line);
  }
  return lines;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = tessera::fuzz::text_of(data, size);
  auto decoded = lab::from_base64(lab::base64(input));
  must(decoded && *decoded == input, "bytes come back from base64");
  if (auto bytes = lab::from_base64(input))
    must(lab::from_base64(lab::base64(*bytes)) == bytes, "what is decoded can be encoded");

  auto lines = lines_of(input, size);
  must(lines_of(input, 1) == lines && lines_of(input, 7) == lines, "pieces make no difference");
  for (const auto& line : lines) {
    must(line.find('\n') == std::string::npos, "a line has no newline");
    auto message = lab::parse_message(line);
    must(message.is_object() || message.is_null(), "a message is an object or nothing");
  }
  return 0;
}
