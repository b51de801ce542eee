// SPDX-License-Identifier: Apache-2.0
#include "identity/device.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/core.h>
#include <linux/pci_regs.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"

namespace tessera::identity {
namespace {

constexpr std::size_t pm_cap = 0x40, express_cap = 0x60;
constexpr std::size_t pm_status = pm_cap + PCI_PM_CTRL;
constexpr std::size_t device_control = express_cap + PCI_EXP_DEVCTL;
constexpr std::byte all_ones{0xff};

// The value that `data`, written at `offset`, puts into the byte `at`; the old one if it does not.
std::byte after(std::size_t at, std::byte old, std::uint64_t offset,
                std::span<const std::byte> data) {
  return at >= offset && at - offset < data.size() ? data[at - offset] : old;
}

// How much of [offset, offset + wanted) lies below `size`.
std::size_t inside(std::uint64_t offset, std::size_t wanted, std::uint64_t size) {
  if (offset >= size) return 0;
  return static_cast<std::size_t>(std::min<std::uint64_t>(wanted, size - offset));
}

}  // namespace

Device::Device(FunctionSpec function, ResetBehaviour reset, Sleep sleep)
    : function_(std::move(function)), behaviour_(reset), sleep_(sleep) {}

Result<Device> Device::create(const FunctionSpec& function, ResetBehaviour reset, Sleep sleep) {
  Device device(function, reset, sleep);
  for (const BarSpec& spec : function.bars) {
    Bar bar{.spec = spec, .memory = Fd(), .registers = {}};
    if (spec.backing == Backing::trapped) {
      bar.registers.resize(std::min<std::uint64_t>(spec.size, register_bytes));
    } else {
      bar.memory = Fd(memfd_create(function.name.c_str(), MFD_CLOEXEC));
      if (!bar.memory.valid() || ftruncate(bar.memory.get(), static_cast<off_t>(spec.size)) != 0)
        return fail(error_from_errno(errno, fmt::format("BAR {}", spec.index), "get memory for"));
    }
    device.bars_.push_back(std::move(bar));
  }
  device.power_on();
  return device;
}

void Device::power_on() {
  config_.fill(std::byte{0});
  writable_.fill(std::byte{0});
  build_header();
  build_capabilities();
  for (Bar& bar : bars_) {
    std::fill(bar.registers.begin(), bar.registers.end(), std::byte{0});
    if (bar.spec.index != 0) continue;
    for (auto [offset, value] : function_.registers)
      if (offset + 4 <= bar.registers.size())
        for (std::size_t i = 0; i < 4; ++i)
          bar.registers[offset + i] = static_cast<std::byte>(value >> (8 * i));
  }
}

void Device::build_header() {
  put(PCI_VENDOR_ID, function_.vendor, 2);
  put(PCI_DEVICE_ID, function_.device, 2);
  allow(PCI_COMMAND,
        PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
            PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE,
        2);
  put(PCI_STATUS, PCI_STATUS_CAP_LIST, 2);
  put(PCI_REVISION_ID, function_.revision, 1);
  put(PCI_CLASS_PROG, function_.class_code, 3);
  allow(PCI_CACHE_LINE_SIZE, 0xff, 1);
  for (const Bar& bar : bars_) {
    bool wide = bar.spec.width == Width::bits64;
    std::size_t at = PCI_BASE_ADDRESS_0 + 4 * bar.spec.index, width = wide ? 8 : 4;
    std::uint64_t kind = wide ? PCI_BASE_ADDRESS_MEM_TYPE_64 : PCI_BASE_ADDRESS_MEM_TYPE_32;
    if (bar.spec.prefetch == Prefetch::yes) kind |= PCI_BASE_ADDRESS_MEM_PREFETCH;
    put(at, kind, width);
    allow(at, ~(bar.spec.size - 1), width);
  }
  put(PCI_SUBSYSTEM_VENDOR_ID, function_.subsystem_vendor, 2);
  put(PCI_SUBSYSTEM_ID, function_.subsystem_device, 2);
  put(PCI_CAPABILITY_LIST, pm_cap, 1);
  allow(PCI_INTERRUPT_LINE, 0xff, 1);
  put(PCI_INTERRUPT_PIN, 1, 1);
}

void Device::build_capabilities() {
  put(pm_cap, PCI_CAP_ID_PM | express_cap << 8, 2);
  put(pm_cap + PCI_PM_PMC, 3, 2);
  put(pm_status, sleep_ == Sleep::keeps_state ? PCI_PM_CTRL_NO_SOFT_RESET : 0, 2);
  allow(pm_status, PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_PME_ENABLE, 2);

  bool flr = behaviour_ == ResetBehaviour::flr || behaviour_ == ResetBehaviour::fails;
  put(express_cap, PCI_CAP_ID_EXP, 2);
  put(express_cap + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 2);
  put(express_cap + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | 1U | (flr ? PCI_EXP_DEVCAP_FLR : 0), 4);
  allow(device_control, 0x7fff, 2);  // bit 15, Initiate FLR, always reads zero
  constexpr unsigned gen3 = 3, lanes16 = 16U << 4;
  put(express_cap + PCI_EXP_LNKCAP, gen3 | lanes16, 4);
  allow(express_cap + PCI_EXP_LNKCTL, 0x01fb, 2);
  put(express_cap + PCI_EXP_LNKSTA, gen3 | lanes16, 2);
  put(express_cap + PCI_EXP_LNKCAP2, 0xe, 4);
  put(express_cap + PCI_EXP_LNKCTL2, gen3, 2);
}

void Device::put(std::size_t offset, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i)
    config_[offset + i] = static_cast<std::byte>(value >> (8 * i));
}

void Device::allow(std::size_t offset, std::uint64_t mask, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i)
    writable_[offset + i] = static_cast<std::byte>(mask >> (8 * i));
}

std::uint32_t Device::config(std::size_t offset, std::size_t width) const {
  std::uint32_t value = 0;
  for (std::size_t i = width; i-- > 0;)
    value = value << 8 | std::to_integer<std::uint32_t>(config_[offset + i]);
  return value;
}

void Device::read(std::uint32_t region, std::uint64_t offset, std::span<std::byte> out) const {
  std::fill(out.begin(), out.end(), gone() ? all_ones : std::byte{0});
  if (gone()) return;
  if (region == config_region) {
    std::size_t n = inside(offset, out.size(), config_size);
    if (n > 0) std::memcpy(out.data(), config_.data() + offset, n);
    return;
  }
  const Bar* from = bar(region);
  if (from == nullptr) return;
  if (from->spec.backing == Backing::mapped) {
    std::size_t n = inside(offset, out.size(), from->spec.size);
    if (n > 0 && pread(from->memory.get(), out.data(), n, static_cast<off_t>(offset)) < 0)
      std::fill(out.begin(), out.end(), all_ones);
    return;
  }
  std::size_t n = inside(offset, out.size(), from->registers.size());
  if (n > 0) std::memcpy(out.data(), from->registers.data() + offset, n);
}

void Device::write(std::uint32_t region, std::uint64_t offset, std::span<const std::byte> data) {
  if (gone()) return;
  if (region == config_region) return write_config(offset, data);
  auto to = std::find_if(bars_.begin(), bars_.end(),
                         [&](const Bar& b) { return b.spec.index == region; });
  if (to == bars_.end()) return;
  if (to->spec.backing == Backing::mapped) {
    std::size_t n = inside(offset, data.size(), to->spec.size);
    if (n > 0 && pwrite(to->memory.get(), data.data(), n, static_cast<off_t>(offset)) < 0)
      faults_.bus = Faults::Bus::gone;  // no memory left for the card: it is dead, and seen to be
    return;
  }
  std::size_t n = inside(offset, data.size(), to->registers.size());
  for (std::size_t i = 0; i < n; ++i) {
    if (!is_fixed(*to, offset + i)) to->registers[offset + i] = data[i];
  }
}

bool Device::is_fixed(const Bar& bar, std::uint64_t offset) const {
  if (bar.spec.index != 0) return false;
  auto above = function_.fixed.upper_bound(static_cast<std::uint32_t>(offset));
  if (above == function_.fixed.begin()) return false;
  const auto& [first, count] = *--above;
  return offset - first < count;
}

bool Device::starts_flr(std::uint64_t offset, std::span<const std::byte> data) const {
  if ((config(express_cap + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR) == 0) return false;
  return std::to_integer<unsigned>(after(device_control + 1, std::byte{0}, offset, data)) &
         PCI_EXP_DEVCTL_BCR_FLR >> 8;
}

bool Device::wakes_up(std::uint64_t offset, std::span<const std::byte> data) const {
  std::uint32_t status = config(pm_status, 2);
  if ((status & PCI_PM_CTRL_NO_SOFT_RESET) != 0) return false;
  if ((status & PCI_PM_CTRL_STATE_MASK) != 3) return false;
  auto next = std::to_integer<unsigned>(after(pm_status, config_[pm_status], offset, data));
  return (next & PCI_PM_CTRL_STATE_MASK) == 0;
}

bool Device::starts_reset(std::uint64_t offset, std::span<const std::byte> data) const {
  return !gone() && (starts_flr(offset, data) || wakes_up(offset, data));
}

void Device::write_config(std::uint64_t offset, std::span<const std::byte> data) {
  if (starts_flr(offset, data)) return reset(ResetKind::function);
  if (wakes_up(offset, data)) return reset(ResetKind::power);
  std::size_t n = inside(offset, data.size(), config_size);
  for (std::size_t i = 0; i < n; ++i) {
    std::byte mask = writable_[offset + i];
    config_[offset + i] = (config_[offset + i] & ~mask) | (data[i] & mask);
  }
}

void Device::reset(ResetKind kind) {
  ++resets_[static_cast<std::size_t>(kind)];
  if (kind == ResetKind::bus && behaviour_ == ResetBehaviour::none) return;
  bool fails = faults_.reset == Faults::Reset::fails ||
               (faults_.reset == Faults::Reset::as_built && behaviour_ == ResetBehaviour::fails);
  // The machine resets its buses before it first looks at them; nobody dies of that one.
  bool used = kind != ResetKind::bus || has_address();
  power_on();
  if (fails && used) faults_.bus = Faults::Bus::gone;
}

bool Device::has_address() const {
  return std::any_of(bars_.begin(), bars_.end(), [&](const Bar& b) {
    constexpr std::uint32_t address = ~std::uint32_t{PCI_BASE_ADDRESS_0 - 1};
    return (config(PCI_BASE_ADDRESS_0 + 4 * b.spec.index, 4) & address) != 0;
  });
}

const Device::Bar* Device::bar(std::uint32_t region) const {
  auto found = std::find_if(bars_.begin(), bars_.end(),
                            [&](const Bar& b) { return b.spec.index == region; });
  return found == bars_.end() ? nullptr : &*found;
}

std::uint64_t Device::region_size(std::uint32_t region) const {
  if (region == config_region) return config_size;
  const Bar* found = bar(region);
  return found == nullptr ? 0 : found->spec.size;
}

int Device::region_fd(std::uint32_t region) const {
  const Bar* found = bar(region);
  return found == nullptr ? -1 : found->memory.get();
}

Status Device::turn(std::string_view knob) {
  using Reset = Faults::Reset;
  using Hang = Faults::Hang;
  struct Setting {
    std::string_view knob;
    void (*set)(Faults&);
  };
  static constexpr Setting settings[] = {
      {"reset=as-built", [](Faults& f) { f.reset = Reset::as_built; }},
      {"reset=ok", [](Faults& f) { f.reset = Reset::works; }},
      {"reset=fail", [](Faults& f) { f.reset = Reset::fails; }},
      {"config_read=ok", [](Faults& f) { f.bus = Faults::Bus::present; }},
      {"config_read=ffffffff", [](Faults& f) { f.bus = Faults::Bus::gone; }},
      {"hang=none", [](Faults& f) { f.hang = Hang::nothing; }},
      {"hang=reset", [](Faults& f) { f.hang = Hang::reset; }},
      {"hang=config", [](Faults& f) { f.hang = Hang::config; }},
      {"hang=registers", [](Faults& f) { f.hang = Hang::registers; }},
  };
  std::vector<std::string> known;
  for (const Setting& setting : settings) {
    known.emplace_back(setting.knob);
    if (setting.knob != knob) continue;
    bool was_gone = gone();
    setting.set(faults_);
    if (was_gone && !gone()) power_on();
    return {};
  }
  return fail(ErrorKind::invalid, text::printable(knob),
              "there is no such knob; known are " + text::join(known, ", "));
}

std::string_view to_string(ResetKind kind) {
  switch (kind) {
    case ResetKind::function:
      return "function";
    case ResetKind::power:
      return "power";
    case ResetKind::bus:
      return "bus";
  }
  return "unknown";
}

}  // namespace tessera::identity
