// SPDX-License-Identifier: Apache-2.0
#pragma once

// What most of our sources include. Sources still name each header they use: the fuzz build and
// ./dev lint go without precompiled headers and notice one that is missing.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <expected>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
