// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

namespace tessera::fakehost {

/// Uevents for those who opened /.rehearsal/uevents; each reader gets what happens from then on.
class Events {
 public:
  using Waker = std::function<void()>;

  std::uint64_t open();
  void close(std::uint64_t reader);
  /// Adds a record for every reader and calls the wakers of those that poll.
  void publish(const std::string& record);
  [[nodiscard]] bool waiting(std::uint64_t reader) const;
  /// The oldest record; empty when there is none.
  std::string take(std::uint64_t reader);
  /// Calls `waker` once at the next record.
  void wake_with(std::uint64_t reader, Waker waker);

 private:
  struct Reader {
    std::deque<std::string> records;
    Waker waker;
  };
  std::map<std::uint64_t, Reader> readers_;
  std::uint64_t next_ = 1;
};

}  // namespace tessera::fakehost
