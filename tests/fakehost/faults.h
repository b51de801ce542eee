// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace tessera::fakehost {

/// One thing that shall go wrong, as a line of /.rehearsal/faults says it.
struct Fault {
  enum class Kind { fail, hang, delay, before };
  Kind kind = Kind::fail;
  std::string path;  ///< a file, as written or through links; may have shell wildcards
  int error = 0;     ///< fail: the errno
  int left = -1;     ///< fail: how often still; -1 for ever
  std::chrono::milliseconds delay{};
  std::string other_path;  ///< before: the file written first, once
  std::string value;
  int number = 0;
};

struct Faults {
  std::vector<Fault> list;
  int next_number = 1;
};

}  // namespace tessera::fakehost
