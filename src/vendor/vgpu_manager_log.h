// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::vendor {

enum class VgpuLogLevel {
  error,
  warning,
  notice,
  unmarked,  ///< the message begins with no level
};
/// "error", "warning", "notice", "unmarked".
std::string_view to_string(VgpuLogLevel level);

/// One message of nvidia-vgpu-mgr, the daemon that serves vGPUs: one process for each machine. Why
/// a machine's vGPU did not start stands there and nowhere else: the machine's QEMU only sees that
/// the device cannot be opened.
struct VgpuLogEntry {
  std::size_t line = 0;              ///< in the text, from 1
  std::string raw;                   ///< the whole line, for evidence
  std::optional<std::uint32_t> pid;  ///< of the process; none where only messages were kept
  VgpuLogLevel level = VgpuLogLevel::unmarked;
  /// The vGPU's number in its machine, from "(0x0):"; none where the message is about the process.
  std::optional<std::uint32_t> handle;
  std::string text;  ///< the message itself: "vGPU license state: Licensed"
  bool operator==(const VgpuLogEntry&) const = default;
};

/// The daemon's message in a line of `journalctl -u nvidia-vgpu-mgr` or of a syslog file, whatever
/// stands before its name:
///
///   Sep 14 08:29:50 host nvidia-vgpu-mgr[2866]: error: vmiop_log: (0x0): Initialization: ...
///
/// or in a line of `journalctl -o cat`, which begins with the level. Nothing in lines of other
/// programs, and in the further lines of a message that has several.
std::optional<VgpuLogEntry> parse_vgpu_log_line(std::string_view line);

/// All messages in a text, in its order.
std::vector<VgpuLogEntry> parse_vgpu_log(std::string_view text);

/// What a process began to serve, as told when nvidia-vgpu-vfio starts a mediated device.
struct VgpuStart {
  std::string mdev_uuid;
  std::optional<std::uint32_t> type_id;  ///< vgpu_type_id
};
/// Nothing in other messages. Later messages of the same process are about this vGPU.
std::optional<VgpuStart> vgpu_start(const VgpuLogEntry& entry);

/// The number of an Xid that hit the vGPU ("XID 43 detected on physical_chid:0x1c"); nothing in
/// other messages.
std::optional<int> vgpu_xid(const VgpuLogEntry& entry);

}  // namespace tessera::vendor
