// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.h"

namespace tessera::kernel {

// What Root's functions of the same names do, below the directory `root_fd` that stands for "/".
// These files lie on a disk: unlike those of sysfs they are replaced as a whole.

Status write_small_file(int root_fd, std::string_view path, std::string_view text);
Status discard_unfinished_file(int root_fd, std::string_view path);
Status remove_small_file(int root_fd, std::string_view path);
Status remove_empty_folder(int root_fd, std::string_view path);

}  // namespace tessera::kernel
