// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "plan/slices/layout/layout.h"

/// Pieces of layout problems, for tests and measurements.
namespace tessera::plan::slices::test {

inline Offer offer(std::string type, std::uint64_t bytes, int most) {
  Offer made;
  made.type = std::move(type);
  made.framebuffer_bytes = bytes;
  made.max_instances = most;
  return made;
}

}  // namespace tessera::plan::slices::test
