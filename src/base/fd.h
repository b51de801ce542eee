// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tessera {

/// The one owner of a file descriptor: move-only, explicit, no silent conversion to int or bool.
/// Closing a descriptor twice is a broken invariant and aborts (EBADF from close(2)).
/// Open everything with O_CLOEXEC before it gets in here.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int owned) : fd_(owned) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  /// The raw number, still owned by this object; -1 when empty.
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  /// Gives up ownership without closing.
  [[nodiscard]] int release();
  /// Closes now, if there is something to close.
  void reset();

 private:
  int fd_ = -1;
};

}  // namespace tessera
