// SPDX-License-Identifier: Apache-2.0
// A UUID: what is read is printed the same, but for the case of its letters.
#include "base/uuid.h"

#include <algorithm>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  const auto text = tessera::fuzz::text_of(data, size);
  auto uuid = tessera::parse_uuid(text);
  if (!uuid) {
    must(uuid.error().kind == tessera::ErrorKind::invalid, "a bad UUID is `invalid`");
    must(!uuid.error().sentence.empty(), "and says why");
    return 0;
  }
  const auto printed = to_string(*uuid);
  const auto same = [](char a, char b) {
    return a == b || (b >= 'A' && b <= 'F' && a == b - 'A' + 'a');
  };
  must(std::ranges::equal(printed, text, same), "it is printed as it was read, in lower case");
  must(*tessera::parse_uuid(printed) == *uuid, "and reads the same");
  return 0;
}
