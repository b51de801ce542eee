// SPDX-License-Identifier: Apache-2.0
#include "apply/crash_point.h"

#include <csignal>
#include <cstdlib>

#include "base/text.h"

namespace tessera::apply {

void crash_point() {
  static const auto wanted = [] {
    const char* value = std::getenv("TESSERA_CRASH_POINT");
    return value == nullptr ? std::nullopt : text::to_number(value);
  }();
  static std::uint64_t passed = 0;
  if (wanted && ++passed == *wanted) (void)std::raise(SIGKILL);
}

}  // namespace tessera::apply
