// SPDX-License-Identifier: Apache-2.0
#include "ports.h"

namespace guest {

void pause_us(uint32_t microseconds) {
  constexpr uint16_t control = 0x61, counter = 0x42, mode = 0x43;
  constexpr uint8_t gate = 0x01, speaker = 0x02, output = 0x20;
  constexpr int most_reads = 1'000'000;  // a machine without this timer must not hang us
  uint32_t ticks = microseconds * 1193U / 1000U + 1;
  out8(control, static_cast<uint8_t>((in8(control) & ~speaker) | gate));
  out8(mode, 0xb0);  // channel 2, low then high byte, mode 0: the output rises at the end
  out8(counter, static_cast<uint8_t>(ticks));
  out8(counter, static_cast<uint8_t>(ticks >> 8));
  for (int i = 0; i < most_reads && (in8(control) & output) == 0; i++) {
  }
}

}  // namespace guest
