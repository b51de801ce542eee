// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

/// What a card is, as its file in cards/ says: plain values.
namespace tessera::identity {

/// Who answers an access to a BAR.
enum class Backing {
  trapped,  ///< the server, register by register; unknown registers read as zero
  mapped,   ///< nobody: the guest reaches a shared memory file directly (video memory)
};
enum class Width { bits32, bits64 };
enum class Prefetch { no, yes };

/// What becomes of an attempt to reset the card.
enum class ResetBehaviour {
  flr,    ///< function level reset and bus reset work
  bus,    ///< only the bus reset works (many consumer cards)
  none,   ///< no reset does anything; the card keeps its state
  fails,  ///< offers function level reset, and is gone from the bus after any reset
};

/// What becomes of the function's state in the D3hot power state. A card that loses it offers one
/// more way to reset: sending it there and back (the kernel's reset method "pm").
enum class Sleep { keeps_state, loses_state };

struct BarSpec {
  unsigned index = 0;      ///< 0..5; a 64-bit one takes the next index too
  std::uint64_t size = 0;  ///< bytes, a power of two, 16 B..64 GiB (32-bit: at most 2 GiB)
  Width width = Width::bits32;
  Prefetch prefetch = Prefetch::no;
  Backing backing = Backing::trapped;
};

/// One PCI function of the card.
struct FunctionSpec {
  std::string name;  ///< "gpu", "audio", ...
  std::uint16_t vendor = 0;
  std::uint16_t device = 0;
  std::uint16_t subsystem_vendor = 0;
  std::uint16_t subsystem_device = 0;
  std::uint32_t class_code = 0;  ///< 24 bits, e.g. 0x030200 (3D controller)
  std::uint8_t revision = 0;
  std::vector<BarSpec> bars;
  /// BAR 0's 32-bit registers that do not start as zero: offset to value.
  std::map<std::uint32_t, std::uint32_t> registers;
  /// BAR 0's bytes that no write changes: offset to how many. A register whose bits clear
  /// themselves has to be among them, or a driver that waits for that waits for ever.
  std::map<std::uint32_t, std::uint32_t> fixed = {};
};

struct CardSpec {
  std::string name;
  ResetBehaviour reset = ResetBehaviour::flr;
  Sleep sleep = Sleep::keeps_state;
  std::vector<FunctionSpec> functions;  ///< by function number, 1..8 of them
};

/// Reads a card's YAML text; `file` is only for messages. Strict: an unknown key, a value out of
/// range, or a BAR that cannot exist is `invalid` with file, line and what would be right.
Result<CardSpec> parse_card(const std::string& text, const std::string& file);

}  // namespace tessera::identity
