// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/root.h"
#include "model/reading.h"

namespace tessera::probe {

/// One PCI function's directory, whose files are read by their names. The root, and a directory
/// that is kept open, are borrowed.
class FunctionDirectory {
 public:
  /// For those who want most of it: it is listed once, and only files that are there are read.
  static FunctionDirectory listed(const kernel::Root& root, std::string bdf);
  /// For those who want a few files that are always there: in `opened` where that is not null,
  /// else by their whole paths.
  FunctionDirectory(const kernel::Root& root, std::string bdf,
                    const kernel::OpenDirectory* opened = nullptr)
      : root_(root), bdf_(std::move(bdf)), opened_(opened) {}

  /// Sorted; empty where it was not listed.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  // Each is absent where the file is not there (probe/read.h).
  [[nodiscard]] model::Reading<std::string> text(std::string_view name) const;
  /// Four hexadecimal digits, "0x10de".
  [[nodiscard]] model::Reading<std::uint16_t> id(std::string_view name) const;
  [[nodiscard]] model::Reading<std::uint32_t> class_code() const;
  /// Two hexadecimal digits, "0xa1".
  [[nodiscard]] model::Reading<std::uint32_t> small_hex(std::string_view name) const;
  [[nodiscard]] model::Reading<int> number(std::string_view name) const;
  [[nodiscard]] model::Reading<bool> flag(std::string_view name) const;
  /// A link's target as stored, and the last piece of it.
  [[nodiscard]] Result<std::string> target(std::string_view name) const;
  [[nodiscard]] model::Reading<std::string> link(std::string_view name) const;

 private:
  [[nodiscard]] bool lacks(std::string_view name) const;
  [[nodiscard]] Result<std::string> content(std::string_view name) const;

  const kernel::Root& root_;
  std::string bdf_;
  const kernel::OpenDirectory* opened_ = nullptr;
  bool listed_ = false;
  std::vector<std::string> names_;
};

}  // namespace tessera::probe
