// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tessera::kernel {

/// Is told of everything that a Root is asked for, as it was asked and answered. That is how a
/// recording comes to hold exactly what the probe reads: nobody keeps a second list of files.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  virtual void saw_text(std::string_view path, const Result<std::string>& text) = 0;
  virtual void saw_link(std::string_view path, const Result<std::string>& target) = 0;
  virtual void saw_directory(std::string_view path,
                             const Result<std::vector<std::string>>& names) = 0;
  /// `path` was found to be there, and nobody looked into it.
  virtual void saw_entry(std::string_view path, bool is_directory) = 0;
  /// `path` is known not to be there, and somebody decides from that.
  virtual void saw_absence(std::string_view path) = 0;
};

}  // namespace tessera::kernel
