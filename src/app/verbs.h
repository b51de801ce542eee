// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "app/verb.h"

namespace tessera::app {

/// Every verb, in the order in which the help shows them.
std::span<const AddVerb> all_verbs();

}  // namespace tessera::app
