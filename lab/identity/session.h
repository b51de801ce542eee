// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/fd.h"
#include "identity/device.h"
#include "identity/wire.h"

namespace tessera::identity {

/// What goes back for one message. `bytes` is empty when nothing does.
struct Reply {
  Bytes bytes;
  int fd = -1;  ///< travels with it, owned by the device; -1 for none
};

/// One conversation with a client (QEMU) about one device: takes whole messages, gives replies.
/// Knows no socket, so a test or a fuzzer can be the client.
class Session {
 public:
  /// Hears of everything worth a log line, without a newline: resets, DMA maps, interrupts.
  using Listener = std::function<void(const std::string&)>;

  /// `device` must outlive the session.
  Session(Device& device, Listener listener) : device_(device), listener_(std::move(listener)) {}

  /// Whether a fault (`hang=...`) forbids answering this message now. Ask again after the knob
  /// moved.
  [[nodiscard]] bool withheld(const Header& header, ByteView payload) const;

  /// Carries the message out. A malformed or unknown one gives an error reply and changes nothing.
  Reply handle(const Header& header, ByteView payload, std::vector<Fd> fds);

  /// Raises the card's legacy interrupt; false when the client has not asked to hear of it.
  bool interrupt();

 private:
  struct Asked;
  using Answered = Result<std::pair<Bytes, int>>;
  Answered answer(const VersionRequest& version, std::vector<Fd>& fds);
  Answered answer(const DmaMap& map, std::vector<Fd>& fds);
  Answered answer(const DmaUnmap& unmap, std::vector<Fd>& fds);
  Answered answer(const DeviceInfoRequest& asked, std::vector<Fd>& fds);
  Answered answer(const RegionInfoRequest& asked, std::vector<Fd>& fds);
  Answered answer(const IrqInfoRequest& asked, std::vector<Fd>& fds);
  Answered answer(const SetIrqs& set, std::vector<Fd>& fds);
  Answered answer(const RegionRead& read, std::vector<Fd>& fds);
  Answered answer(const RegionWrite& write, std::vector<Fd>& fds);
  Answered answer(const ResetRequest& asked, std::vector<Fd>& fds);
  void log(const std::string& line) const { listener_(line); }

  Device& device_;
  Listener listener_;
  Fd interrupt_;  ///< the client's eventfd
};

}  // namespace tessera::identity
