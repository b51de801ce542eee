// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "canvas.h"
#include "pci.h"

/// Display adapters with the Bochs "dispi" registers (QEMU's bochs-display, VGA, secondary-vga),
/// reached through BAR2 at 0x500, so that no legacy VGA port is needed: a card passed to a guest
/// has none. Register numbers: QEMU's docs/specs/standard-vga.
namespace guest::display {

bool is_known(const pci::Function& function);

/// Sets 1024x768 with 32 bits a pixel. False when the card does not answer as such a card.
bool set_mode(const pci::Function& function);

/// Copies the picture to the card, reads it back, and returns the CRC-32 of what was read.
/// `same` tells whether every pixel came back as written: only then is it really the card's memory.
struct Shown {
  uint32_t crc = 0;
  bool same = false;
};
Shown show(const pci::Function& function, const Canvas& canvas);

}  // namespace guest::display
