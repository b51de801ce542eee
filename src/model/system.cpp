// SPDX-License-Identifier: Apache-2.0
#include "model/system.h"

#include <algorithm>

namespace tessera::model {

bool KernelFacts::has_module(std::string_view name) const {
  return modules.has_value() && std::ranges::binary_search(modules.value(), name);
}

std::string_view KernelFacts::option(std::string_view name) const {
  const auto found = config.find(name);
  return found != config.end() ? std::string_view(found->second) : std::string_view();
}

}  // namespace tessera::model
