// SPDX-License-Identifier: Apache-2.0
#include "model/processors.h"

#include <numeric>

namespace tessera::model {

int Processors::threads() const {
  return std::accumulate(cores.begin(), cores.end(), 0, [](int sum, const Core& core) {
    return sum + static_cast<int>(core.cpus.size());
  });
}

}  // namespace tessera::model
