// SPDX-License-Identifier: Apache-2.0
#include "identity/session.h"

#include <cerrno>
#include <optional>
#include <string_view>

#include <fmt/core.h>
#include <linux/vfio.h>
#include <unistd.h>

namespace tessera::identity {
namespace {

// VFIO_PCI_ERR_IRQ_INDEX exists so that QEMU does not complain; it never fires.
constexpr std::uint32_t intx = VFIO_PCI_INTX_IRQ_INDEX, error_irq = VFIO_PCI_ERR_IRQ_INDEX,
                        irq_kinds = VFIO_PCI_NUM_IRQS;

ByteView text_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

int errno_of(ErrorKind kind) {
  return kind == ErrorKind::unsupported ? EOPNOTSUPP : EINVAL;
}

}  // namespace

bool Session::withheld(const Header& header, ByteView payload) const {
  using Hang = Faults::Hang;
  Hang hang = device_.faults().hang;
  if (hang == Hang::nothing) return false;
  auto request = parse_request(header, payload);
  if (!request) return false;
  if (std::holds_alternative<ResetRequest>(*request)) return hang == Hang::reset;
  std::optional<std::uint32_t> region;
  if (auto* read = std::get_if<RegionRead>(&*request)) region = read->region;
  if (auto* write = std::get_if<RegionWrite>(&*request)) {
    region = write->region;
    if (hang == Hang::reset)
      return region == config_region && device_.starts_reset(write->offset, write->data);
  }
  if (!region) return false;
  return hang == (*region == config_region ? Hang::config : Hang::registers);
}

Reply Session::handle(const Header& header, ByteView payload, std::vector<Fd> fds) {
  auto request = parse_request(header, payload);
  Answered answered =
      request ? std::visit([&](const auto& asked) { return answer(asked, fds); }, *request)
              : Answered(std::unexpect, request.error());
  if (!answered) log("refused: " + one_line(answered.error()));
  if (header.answer == Answer::unwanted) return {};
  if (!answered) return {.bytes = make_error(header, errno_of(answered.error().kind)), .fd = -1};
  return {.bytes = make_reply(header, answered->first), .fd = answered->second};
}

Session::Answered Session::answer(const VersionRequest& version, std::vector<Fd>&) {
  log(fmt::format("client speaks vfio-user {}.{}", version.major, version.minor));
  if (version.major != 0)
    return fail(ErrorKind::unsupported, "version", "only vfio-user 0.x is spoken here");
  // A client refuses an answer with a higher minor than its own; QEMU's is 0.
  std::string capabilities = fmt::format(
      R"({{"capabilities":{{"max_msg_fds":8,"max_data_xfer_size":{}}}}})", max_transfer);
  capabilities.push_back('\0');
  return std::pair(Writer().u16(0).u16(0).bytes(text_bytes(capabilities)).view(), -1);
}

Session::Answered Session::answer(const DmaMap& map, std::vector<Fd>& fds) {
  log(fmt::format("dma map 0x{:x}+0x{:x} flags {}{}", map.address, map.size, map.flags,
                  fds.empty() ? " without memory file" : ""));
  return std::pair(Bytes{}, -1);
}

Session::Answered Session::answer(const DmaUnmap& unmap, std::vector<Fd>&) {
  log(fmt::format("dma unmap 0x{:x}+0x{:x}", unmap.address, unmap.size));
  constexpr std::uint32_t argsz = 24;
  return std::pair(Writer().u32(argsz).u32(unmap.flags).u64(unmap.address).u64(unmap.size).view(),
                   -1);
}

Session::Answered Session::answer(const DeviceInfoRequest&, std::vector<Fd>&) {
  std::uint32_t flags = VFIO_DEVICE_FLAGS_PCI;
  if (device_.has_bus_reset()) flags |= VFIO_DEVICE_FLAGS_RESET;
  constexpr std::uint32_t argsz = 16;
  return std::pair(Writer().u32(argsz).u32(flags).u32(region_count).u32(irq_kinds).view(), -1);
}

Session::Answered Session::answer(const RegionInfoRequest& asked, std::vector<Fd>&) {
  if (asked.index >= region_count)
    return fail(ErrorKind::invalid, fmt::format("region {}", asked.index),
                "there is no such region");
  std::uint64_t size = device_.region_size(asked.index);
  int fd = device_.region_fd(asked.index);
  std::uint32_t flags = size == 0 ? 0 : VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
  if (fd >= 0) flags |= VFIO_REGION_INFO_FLAG_MMAP;
  constexpr std::uint32_t argsz = 32;
  return std::pair(Writer().u32(argsz).u32(flags).u32(asked.index).u32(0).u64(size).u64(0).view(),
                   fd);
}

Session::Answered Session::answer(const IrqInfoRequest& asked, std::vector<Fd>&) {
  if (asked.index >= irq_kinds)
    return fail(ErrorKind::invalid, fmt::format("irq {}", asked.index),
                "there is no such interrupt");
  std::uint32_t flags = 0, count = 0;
  if (asked.index == intx) {
    flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
    count = 1;
  } else if (asked.index == error_irq) {
    flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
    count = 1;
  }
  constexpr std::uint32_t argsz = 16;
  return std::pair(Writer().u32(argsz).u32(flags).u32(asked.index).u32(count).view(), -1);
}

Session::Answered Session::answer(const SetIrqs& set, std::vector<Fd>& fds) {
  std::uint32_t available = set.index == intx || set.index == error_irq ? 1 : 0;
  if (set.index >= irq_kinds || set.start + set.count > available)
    return fail(ErrorKind::invalid, fmt::format("irq {}", set.index), "there is no such interrupt");
  if (set.index != intx || (set.flags & VFIO_IRQ_SET_ACTION_TRIGGER) == 0)
    return std::pair(Bytes{}, -1);
  if ((set.flags & VFIO_IRQ_SET_DATA_EVENTFD) != 0 && set.count == 1) {
    interrupt_ = fds.empty() ? Fd() : std::move(fds.front());
    log(interrupt_.valid() ? "interrupt on" : "interrupt off");
  } else if (set.count == 0) {
    interrupt_.reset();
    log("interrupt off");
  }
  return std::pair(Bytes{}, -1);
}

Session::Answered Session::answer(const RegionRead& read, std::vector<Fd>&) {
  if (read.region >= region_count)
    return fail(ErrorKind::invalid, fmt::format("region {}", read.region),
                "there is no such region");
  Bytes data(read.count);
  device_.read(read.region, read.offset, data);
  return std::pair(Writer().u64(read.offset).u32(read.region).u32(read.count).bytes(data).view(),
                   -1);
}

Session::Answered Session::answer(const RegionWrite& write, std::vector<Fd>&) {
  if (write.region >= region_count)
    return fail(ErrorKind::invalid, fmt::format("region {}", write.region),
                "there is no such region");
  if (write.region == config_region && device_.starts_reset(write.offset, write.data)) {
    unsigned before = device_.resets(ResetKind::function);
    device_.write(write.region, write.offset, write.data);
    log(before == device_.resets(ResetKind::function) ? "reset power" : "reset function");
  } else {
    device_.write(write.region, write.offset, write.data);
  }
  auto count = static_cast<std::uint32_t>(write.data.size());
  return std::pair(Writer().u64(write.offset).u32(write.region).u32(count).view(), -1);
}

Session::Answered Session::answer(const ResetRequest&, std::vector<Fd>&) {
  device_.reset();
  log("reset bus");
  return std::pair(Bytes{}, -1);
}

bool Session::interrupt() {
  std::uint64_t one = 1;
  return interrupt_.valid() && ::write(interrupt_.get(), &one, sizeof one) == sizeof one;
}

}  // namespace tessera::identity
