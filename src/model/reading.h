// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace tessera::model {

/// What came of reading one kernel file. Absent, unreadable and a value of 0 are three different
/// things, and a decision that treats them alike is a bug.
template <typename T>
class Reading {
 public:
  Reading() = default;                            ///< absent: the file is not there
  Reading(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  static Reading unreadable(std::string why) {
    Reading reading;
    reading.why_ = std::move(why);
    return reading;
  }

  [[nodiscard]] bool has_value() const { return value_.has_value(); }
  [[nodiscard]] bool is_unreadable() const { return !value_ && !why_.empty(); }
  [[nodiscard]] bool is_absent() const { return !value_ && why_.empty(); }
  [[nodiscard]] const T& value() const { return *value_; }
  [[nodiscard]] T value_or(const T& other) const { return value_ ? *value_ : other; }
  /// Why it could not be read ("EACCES"), or found not to make sense; empty otherwise.
  [[nodiscard]] const std::string& why() const { return why_; }
  bool operator==(const Reading&) const = default;

 private:
  std::optional<T> value_;
  std::string why_;
};

}  // namespace tessera::model
