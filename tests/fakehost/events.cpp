// SPDX-License-Identifier: Apache-2.0
#include "fakehost/events.h"

#include <utility>

namespace tessera::fakehost {

std::uint64_t Events::open() {
  readers_.try_emplace(next_);
  return next_++;
}

void Events::close(std::uint64_t reader) {
  readers_.erase(reader);
}

void Events::publish(const std::string& record) {
  for (auto& [number, reader] : readers_) {
    reader.records.push_back(record);
    if (auto waker = std::exchange(reader.waker, nullptr)) waker();
  }
}

bool Events::waiting(std::uint64_t reader) const {
  auto found = readers_.find(reader);
  return found != readers_.end() && !found->second.records.empty();
}

std::string Events::take(std::uint64_t reader) {
  auto found = readers_.find(reader);
  if (found == readers_.end() || found->second.records.empty()) return {};
  auto record = std::move(found->second.records.front());
  found->second.records.pop_front();
  return record;
}

void Events::wake_with(std::uint64_t reader, Waker waker) {
  auto found = readers_.find(reader);
  if (found != readers_.end()) found->second.waker = std::move(waker);
}

}  // namespace tessera::fakehost
