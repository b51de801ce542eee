// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "identity/card.h"

namespace tessera::identity {

/// The regions of a PCI device in VFIO's numbering: BARs are 0..5.
inline constexpr std::uint32_t rom_region = 6, config_region = 7, vga_region = 8, region_count = 9;
/// Config space of a PCI Express function, in bytes.
inline constexpr std::size_t config_size = 4096;
/// The part of a trapped BAR that has registers; above it reads give zero, writes are lost.
inline constexpr std::size_t register_bytes = 1U << 20;

/// By which way a reset came in.
enum class ResetKind {
  function,  ///< the guest set Initiate FLR in Device Control
  power,     ///< the guest took the function from D3hot back to D0
  bus,       ///< the client's RESET message: a bus reset, or the machine's own
};

/// What can go wrong with the card on command, while it runs.
struct Faults {
  enum class Reset { as_built, works, fails };
  enum class Bus { present, gone };
  enum class Hang { nothing, reset, config, registers };
  Reset reset = Reset::as_built;
  Bus bus = Bus::present;     ///< gone: reads give all ones, writes are lost ("fell off the bus")
  Hang hang = Hang::nothing;  ///< what is never answered until this is `nothing` again
};

/// One PCI function: its config space, BARs and what a reset does to them. Knows no socket. All
/// accessors take any offset and any length; outside of the function reads give zero.
class Device {
 public:
  /// `unsupported` or `io` when the kernel does not give the memory file for a mapped BAR.
  static Result<Device> create(const FunctionSpec& function, ResetBehaviour reset,
                               Sleep sleep = Sleep::keeps_state);

  void read(std::uint32_t region, std::uint64_t offset, std::span<std::byte> out) const;
  /// A write may be the one that starts a reset; it is carried out before this returns.
  void write(std::uint32_t region, std::uint64_t offset, std::span<const std::byte> data);
  /// The bus reset.
  void reset() { reset(ResetKind::bus); }

  /// Whether a write of `data` to config space at `offset` would start a reset: asked before, so
  /// that a hanging reset can be told from a hanging card.
  [[nodiscard]] bool starts_reset(std::uint64_t offset, std::span<const std::byte> data) const;

  /// Bytes of the region, zero for one that the function has not.
  [[nodiscard]] std::uint64_t region_size(std::uint32_t region) const;
  /// The memory file behind a mapped BAR, still owned by the device; -1 for everything else.
  [[nodiscard]] int region_fd(std::uint32_t region) const;
  /// Whether the card reacts to the bus reset at all.
  [[nodiscard]] bool has_bus_reset() const { return behaviour_ != ResetBehaviour::none; }

  [[nodiscard]] const FunctionSpec& function() const { return function_; }
  [[nodiscard]] unsigned resets(ResetKind kind) const {
    return resets_[static_cast<std::size_t>(kind)];
  }

  [[nodiscard]] const Faults& faults() const { return faults_; }
  /// One knob, `name=value`: reset=ok|fail|as-built, config_read=ok|ffffffff,
  /// hang=none|reset|config| registers. `invalid` names what would be right. Bringing the card back
  /// on the bus brings it back as after power-on.
  Status turn(std::string_view knob);

 private:
  struct Bar {
    BarSpec spec;
    Fd memory;  ///< of a mapped one
    std::vector<std::byte> registers;
  };
  Device(FunctionSpec function, ResetBehaviour reset, Sleep sleep);
  void power_on();
  void build_header();
  void build_capabilities();
  void put(std::size_t offset, std::uint64_t value, std::size_t width);
  void allow(std::size_t offset, std::uint64_t mask, std::size_t width);
  [[nodiscard]] std::uint32_t config(std::size_t offset, std::size_t width) const;
  void write_config(std::uint64_t offset, std::span<const std::byte> data);
  [[nodiscard]] bool starts_flr(std::uint64_t offset, std::span<const std::byte> data) const;
  [[nodiscard]] bool wakes_up(std::uint64_t offset, std::span<const std::byte> data) const;
  void reset(ResetKind kind);
  [[nodiscard]] bool is_fixed(const Bar& bar, std::uint64_t offset) const;
  [[nodiscard]] bool has_address() const;
  [[nodiscard]] const Bar* bar(std::uint32_t region) const;
  [[nodiscard]] bool gone() const { return faults_.bus == Faults::Bus::gone; }

  FunctionSpec function_;
  ResetBehaviour behaviour_;
  Sleep sleep_;
  Faults faults_;
  std::array<std::byte, config_size> config_{};
  std::array<std::byte, config_size> writable_{};  ///< the bits that a write changes
  std::vector<Bar> bars_;
  std::array<unsigned, 3> resets_{};
};

std::string_view to_string(ResetKind kind);

}  // namespace tessera::identity
