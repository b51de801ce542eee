// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plain.h"

#include <nlohmann/json.hpp>
