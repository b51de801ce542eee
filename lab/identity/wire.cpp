// SPDX-License-Identifier: Apache-2.0
#include "identity/wire.h"

#include <fmt/core.h>

namespace tessera::identity {
namespace {

constexpr std::uint32_t type_mask = 0xf, type_command = 0, type_reply = 1;
constexpr std::uint32_t flag_no_reply = 0x10, flag_error = 0x20;
constexpr std::uint64_t highest = ~std::uint64_t{0};

// Takes little-endian numbers from the front; once something was missing, ok() is false for good.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  std::uint16_t u16() { return static_cast<std::uint16_t>(take(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(take(4)); }
  std::uint64_t u64() { return take(8); }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] ByteView rest() const { return rest_; }

 private:
  std::uint64_t take(std::size_t width) {
    if (rest_.size() < width) {
      ok_ = false;
      rest_ = {};
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;) value = value << 8 | std::to_integer<unsigned>(rest_[i]);
    rest_ = rest_.subspan(width);
    return value;
  }
  ByteView rest_;
  bool ok_ = true;
};

std::unexpected<Error> malformed(const Header& header, std::string_view what) {
  return fail(ErrorKind::invalid, fmt::format("vfio-user command {}", header.command),
              std::string(what));
}

Result<Request> parse_version(const Header& header, Reader in) {
  VersionRequest version{.major = in.u16(), .minor = in.u16()};
  if (!in.ok()) return malformed(header, "the version is cut short");
  if (!in.rest().empty() && in.rest().back() != std::byte{0})
    return malformed(header, "the capabilities do not end with a NUL");
  return version;
}

Result<Request> parse_dma_map(const Header& header, Reader in) {
  (void)in.u32();  // argsz: the payload's own length decides
  DmaMap map;
  map.flags = in.u32();
  (void)in.u64();  // offset into the descriptor, which is never mapped here
  map.address = in.u64();
  map.size = in.u64();
  if (!in.ok()) return malformed(header, "the DMA map is cut short");
  if (map.size == 0 || map.size > highest - map.address)
    return malformed(header, "the DMA range is empty or wraps around");
  return map;
}

Result<Request> parse_dma_unmap(const Header& header, Reader in) {
  (void)in.u32();
  DmaUnmap unmap{.flags = in.u32(), .address = in.u64(), .size = in.u64()};
  if (!in.ok()) return malformed(header, "the DMA unmap is cut short");
  if (unmap.size > 0 && unmap.size - 1 > highest - unmap.address)
    return malformed(header, "the DMA range wraps around");
  return unmap;
}

// The shared shape of REGION_INFO and IRQ_INFO: argsz (of the answer), flags, index.
template <typename Asked>
Result<Request> parse_info(const Header& header, Reader in, std::uint32_t answer_size) {
  std::uint32_t argsz = in.u32();
  (void)in.u32();
  Asked asked{.index = in.u32()};
  if (!in.ok()) return malformed(header, "the question is cut short");
  if (argsz < answer_size) return malformed(header, "argsz leaves no room for the answer");
  return asked;
}

Result<Request> parse_set_irqs(const Header& header, Reader in) {
  (void)in.u32();
  SetIrqs set{.flags = in.u32(), .index = in.u32(), .start = in.u32(), .count = in.u32()};
  if (!in.ok()) return malformed(header, "the interrupt set is cut short");
  std::uint32_t data = set.flags & 7U, action = set.flags & 0x38U;
  if ((set.flags & ~0x3fU) != 0 || (data & (data - 1)) != 0 || (action & (action - 1)) != 0 ||
      data == 0 || action == 0)
    return malformed(header, "it needs exactly one kind of data and one action");
  if (set.count > ~std::uint32_t{0} - set.start) return malformed(header, "the range wraps around");
  if (data == 2 && in.rest().size() < set.count) return malformed(header, "the data is cut short");
  return set;
}

Result<Request> parse_region_read(const Header& header, Reader in) {
  RegionRead read{.offset = in.u64(), .region = in.u32(), .count = in.u32()};
  if (!in.ok()) return malformed(header, "the read is cut short");
  if (read.count > max_transfer) return malformed(header, "the read is too long");
  return read;
}

Result<Request> parse_region_write(const Header& header, Reader in) {
  RegionWrite write{.offset = in.u64(), .region = in.u32(), .data = {}};
  std::uint32_t count = in.u32();
  if (!in.ok() || count > in.rest().size()) return malformed(header, "the write is cut short");
  if (count > max_transfer) return malformed(header, "the write is too long");
  write.data = in.rest().first(count);
  return write;
}

Bytes reply(const Header& header, std::uint32_t flags, int error_number, ByteView payload) {
  return Writer()
      .u16(header.id)
      .u16(header.command)
      .u32(static_cast<std::uint32_t>(header_size + payload.size()))
      .u32(type_reply | flags)
      .u32(static_cast<std::uint32_t>(error_number))
      .bytes(payload)
      .view();
}

}  // namespace

Result<Header> parse_header(ByteView bytes) {
  Reader in(bytes);
  Header header{.id = in.u16(), .command = in.u16(), .size = in.u32(), .answer = Answer::wanted};
  std::uint32_t flags = in.u32();
  (void)in.u32();  // error: of replies only
  if (!in.ok()) return malformed(header, "the header is cut short");
  if (header.size < header_size || header.size > max_message)
    return malformed(header, fmt::format("a message of {} bytes is impossible", header.size));
  if ((flags & type_mask) != type_command) return malformed(header, "it is not a command");
  if (flags & flag_no_reply) header.answer = Answer::unwanted;
  return header;
}

Result<Request> parse_request(const Header& header, ByteView payload) {
  Reader in(payload);
  switch (static_cast<Command>(header.command)) {
    case Command::version:
      return parse_version(header, in);
    case Command::dma_map:
      return parse_dma_map(header, in);
    case Command::dma_unmap:
      return parse_dma_unmap(header, in);
    case Command::device_info:
      return DeviceInfoRequest{};
    case Command::region_info:
      return parse_info<RegionInfoRequest>(header, in, 32);
    case Command::irq_info:
      return parse_info<IrqInfoRequest>(header, in, 16);
    case Command::set_irqs:
      return parse_set_irqs(header, in);
    case Command::region_read:
      return parse_region_read(header, in);
    case Command::region_write:
      return parse_region_write(header, in);
    case Command::reset:
      return ResetRequest{};
  }
  return fail(ErrorKind::unsupported, fmt::format("vfio-user command {}", header.command),
              "this card does not know the command");
}

Bytes make_reply(const Header& header, ByteView payload) {
  return reply(header, 0, 0, payload);
}

Bytes make_error(const Header& header, int error_number) {
  return reply(header, flag_error, error_number, {});
}

Writer& Writer::bytes(ByteView data) {
  bytes_.insert(bytes_.end(), data.begin(), data.end());
  return *this;
}

Writer& Writer::put(std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
  return *this;
}

}  // namespace tessera::identity
