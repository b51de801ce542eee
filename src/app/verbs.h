// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "app/verb.h"

namespace tessera::app {

struct NamedVerb {
  std::string_view name;
  AddVerb add;                ///< adds the verb of that name
  bool tells_of_all = false;  ///< it looks at the parser's other verbs: they have to be there
};

/// Every verb, in the order in which the help shows them.
std::span<const NamedVerb> all_verbs();

}  // namespace tessera::app
