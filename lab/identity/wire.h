// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/result.h"

/// The messages of the vfio-user protocol (QEMU docs/interop/vfio-user.rst), as values. Everything
/// that arrives is checked here once and completely: whoever holds a Request may trust its numbers
/// to be inside the message, though not yet inside the device.
namespace tessera::identity {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

/// Bytes of a message header; no message is shorter.
inline constexpr std::size_t header_size = 16;
/// The most data that one region read or write may carry; told to the client in the VERSION reply.
inline constexpr std::uint32_t max_transfer = 1U << 20;
/// No message may claim to be longer (a transfer, its header and its argument block).
inline constexpr std::uint32_t max_message = max_transfer + 4096;

enum class Command : std::uint16_t {
  version = 1,
  dma_map = 2,
  dma_unmap = 3,
  device_info = 4,
  region_info = 5,
  irq_info = 7,
  set_irqs = 8,
  region_read = 9,
  region_write = 10,
  reset = 13,
};

/// Whether the sender waits for an answer (a posted write does not).
enum class Answer { wanted, unwanted };

/// The first 16 bytes of a command, checked: a command and not a reply, of a believable length.
struct Header {
  std::uint16_t id = 0;       ///< goes back in the reply
  std::uint16_t command = 0;  ///< a Command, or a number that we do not know
  std::uint32_t size = 0;     ///< of the whole message: header_size..max_message
  Answer answer = Answer::wanted;
};

struct VersionRequest {
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
};
struct DmaMap {
  std::uint32_t flags = 0;    ///< 1 readable, 2 writable by the card
  std::uint64_t address = 0;  ///< I/O virtual address; address + size does not overflow
  std::uint64_t size = 0;
};
struct DmaUnmap {
  std::uint32_t flags = 0;  ///< 2: everything at once
  std::uint64_t address = 0;
  std::uint64_t size = 0;
};
struct DeviceInfoRequest {};
struct RegionInfoRequest {
  std::uint32_t index = 0;
};
struct IrqInfoRequest {
  std::uint32_t index = 0;
};
struct SetIrqs {
  std::uint32_t flags = 0;  ///< one DATA bit (1 none, 2 bool, 4 eventfd) and one ACTION bit
  std::uint32_t index = 0;
  std::uint32_t start = 0;
  std::uint32_t count = 0;  ///< start + count does not overflow
};
struct RegionRead {
  std::uint64_t offset = 0;
  std::uint32_t region = 0;
  std::uint32_t count = 0;  ///< at most max_transfer
};
struct RegionWrite {
  std::uint64_t offset = 0;
  std::uint32_t region = 0;
  ByteView data;  ///< points into the message
};
struct ResetRequest {};

using Request = std::variant<VersionRequest, DmaMap, DmaUnmap, DeviceInfoRequest, RegionInfoRequest,
                             IrqInfoRequest, SetIrqs, RegionRead, RegionWrite, ResetRequest>;

/// Reads a header from at least header_size bytes. An error means that the stream cannot be
/// followed any further: hang up.
Result<Header> parse_header(ByteView bytes);

/// Reads the payload that followed `header`. Errors: `invalid` (malformed), `unsupported` (a
/// command of the protocol or of the future that we do not know). The stream stays readable after
/// either.
Result<Request> parse_request(const Header& header, ByteView payload);

/// A reply to `header` with `payload`, ready to send.
Bytes make_reply(const Header& header, ByteView payload);
/// A reply that says that the command failed with a (positive) errno.
Bytes make_error(const Header& header, int error_number);

/// Little-endian bytes one after the other: the way a reply's payload is written.
class Writer {
 public:
  Writer& u16(std::uint16_t value) { return put(value, 2); }
  Writer& u32(std::uint32_t value) { return put(value, 4); }
  Writer& u64(std::uint64_t value) { return put(value, 8); }
  Writer& bytes(ByteView data);
  [[nodiscard]] const Bytes& view() const { return bytes_; }

 private:
  Writer& put(std::uint64_t value, int width);
  Bytes bytes_;
};

}  // namespace tessera::identity
