// SPDX-License-Identifier: Apache-2.0
#include "fakehost/behaviours.h"

#include <array>

#include "base/text.h"

namespace tessera::fakehost {

namespace {

/// The visible table: every kind of file that answers writes.
constexpr std::array kinds = {
    driver_core_behaviours, pci_hotplug_behaviours, mdev_behaviours,     vendor_vfio_behaviours,
    nvidia_tool_behaviours, xe_behaviours,          i915_iov_behaviours, sriov_behaviours,
    modprobe_behaviours,    process_behaviours,     fault_behaviours,    plain_behaviours,
};

using Pieces = std::span<const std::string_view>;

bool fits(Pieces pattern, Pieces path, std::vector<std::string>& stars) {
  if (pattern.empty()) return path.empty();
  if (path.empty()) return false;
  if (pattern[0] == "**") {
    std::string joined;
    for (std::size_t taken = 1; taken <= path.size(); ++taken) {
      joined += '/';
      joined += path[taken - 1];
      auto depth = stars.size();
      stars.push_back(joined);
      if (fits(pattern.subspan(1), path.subspan(taken), stars)) return true;
      stars.resize(depth);
    }
    return false;
  }
  if (pattern[0] != "*" && pattern[0] != path[0]) return false;
  auto depth = stars.size();
  if (pattern[0] == "*") stars.emplace_back(path[0]);
  if (fits(pattern.subspan(1), path.subspan(1), stars)) return true;
  stars.resize(depth);
  return false;
}

/// Most paths are ruled out by their last piece, and every look at the mount asks.
bool may_fit(std::string_view pattern, std::string_view name) {
  auto last = pattern.substr(pattern.rfind('/') + 1);
  return last == name || last.starts_with('*');
}

}  // namespace

const Behaviour* find_behaviour(std::string_view path, std::vector<std::string>* stars) {
  auto pieces = text::split(path, '/');
  auto name = pieces.back();
  for (auto kind : kinds) {
    for (const auto& behaviour : kind()) {
      if (!may_fit(behaviour.pattern, name)) continue;
      std::vector<std::string> found;
      if (!fits(text::split(behaviour.pattern, '/'), pieces, found)) continue;
      if (stars != nullptr) *stars = std::move(found);
      return &behaviour;
    }
  }
  return nullptr;
}

std::string Call::word() const {
  std::string_view all = text;
  all = all.substr(0, all.find('\0'));
  if (all.ends_with('\n')) all.remove_suffix(1);
  return std::string(all);
}

Device* Call::device() const {
  auto directory = path.substr(0, path.rfind('/'));
  for (auto& [key, device] : host.devices) {
    if (device.path == directory) return &device;
  }
  return nullptr;
}

}  // namespace tessera::fakehost
