// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "json.h"

#include <CLI/CLI.hpp>
