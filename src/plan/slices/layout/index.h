// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace tessera::plan::slices {

/// Indices of the layout are int, with -1 for "none"; a container wants size_t.
inline std::size_t at(int index) {
  return static_cast<std::size_t>(index);
}

}  // namespace tessera::plan::slices
