// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace tessera {

using Milliseconds = std::chrono::milliseconds;

/// A point on the monotonic clock after which waiting is over. Pass it down instead of a duration,
/// so that a wait made of several waits still ends when the caller said.
class Deadline {
 public:
  static Deadline in(Milliseconds duration) { return Deadline(Clock::now() + duration); }

  [[nodiscard]] bool passed() const { return Clock::now() >= at_; }
  /// What is left, never negative; fit for poll(2) as `static_cast<int>(left().count())`.
  [[nodiscard]] Milliseconds left() const {
    auto rest = std::chrono::ceil<Milliseconds>(at_ - Clock::now());
    return rest > Milliseconds::zero() ? rest : Milliseconds::zero();
  }

 private:
  using Clock = std::chrono::steady_clock;
  explicit Deadline(Clock::time_point at) : at_(at) {}
  Clock::time_point at_;
};

}  // namespace tessera
