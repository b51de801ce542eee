// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "kernel/root.h"

namespace tessera::kernel {

/// One message of the kernel's device model ("bind@/devices/pci0000:00/...").
struct Uevent {
  std::string action;   ///< add, remove, bind, unbind, change, ...
  std::string devpath;  ///< below /sys, starts with "/devices/"
  std::string driver;   ///< empty when the message names none
};

/// Reads one netlink message: "ACTION@DEVPATH" NUL "KEY=VALUE" NUL ...
/// Errors: invalid (no '@', or the header's action contradicts ACTION=).
Result<Uevent> parse_uevent(std::string_view message);

/// Listens for uevents from the moment it is opened, so open it before the write whose effect is
/// awaited. On the live system it is the kernel's netlink socket; on a rehearsal host the file
/// files::rehearsal_uevents. On any other root there is nothing to wait for.
class UeventListener {
 public:
  static Result<UeventListener> open(const Root& root);

  /// Calls `holds` now and after each uevent until it says true or the deadline passes.
  /// Returns whether it held. No sleeping, no polling between events.
  [[nodiscard]] bool wait_until(const std::function<bool()>& holds, Deadline deadline);

 private:
  explicit UeventListener(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;  ///< empty where nothing can be awaited
};

}  // namespace tessera::kernel
