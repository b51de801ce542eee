// SPDX-License-Identifier: Apache-2.0
#include "display.h"

#include "ports.h"

namespace guest::display {
namespace {

constexpr uint32_t vga_registers = 0x400;  // port 0x3c0 and up, in BAR2
constexpr uint32_t dispi_registers = 0x500;

enum Dispi : uint32_t {
  id = 0,
  x_resolution = 1,
  y_resolution = 2,
  bits_per_pixel = 3,
  enable = 4,
  bank = 5,
  virtual_width = 6,
  virtual_height = 7,
  x_offset = 8,
  y_offset = 9,
};
constexpr uint16_t enabled_linear = 0x41;
constexpr uint32_t class_vga = 0x030000;

void set(uint32_t base, Dispi which, int value) {
  write_mmio<uint16_t>(base + dispi_registers + 2 * which, static_cast<uint16_t>(value));
}

/// One byte into CRC-32 (polynomial 0xedb88320), four bits at a time.
uint32_t crc_byte(uint32_t crc, uint32_t byte) {
  static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                     0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                     0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                     0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  crc ^= byte;
  crc = crc >> 4 ^ table[crc & 15];
  return crc >> 4 ^ table[crc & 15];
}

}  // namespace

bool is_known(const pci::Function& function) {
  return function.is(0x1234, 0x1111) && function.bars[0].address != 0 &&
         function.bars[2].address != 0;
}

bool set_mode(const pci::Function& function) {
  uint32_t base = function.bars[2].address;
  auto version = read_mmio<uint16_t>(base + dispi_registers);
  if ((version & 0xfff0U) != 0xb0c0U) return false;
  set(base, enable, 0);
  set(base, x_resolution, Canvas::width);
  set(base, y_resolution, Canvas::height);
  set(base, bits_per_pixel, 32);
  set(base, bank, 0);
  set(base, virtual_width, Canvas::width);
  set(base, virtual_height, Canvas::height);
  set(base, x_offset, 0);
  set(base, y_offset, 0);
  set(base, enable, enabled_linear);
  if (function.class_code == class_vga) write_mmio<uint8_t>(base + vga_registers, 0x20);  // unblank
  return read_mmio<uint16_t>(base + dispi_registers + 2 * x_resolution) == Canvas::width;
}

Shown show(const pci::Function& function, const Canvas& canvas) {
  uint32_t memory = function.bars[0].address;
  constexpr int pixels = Canvas::width * Canvas::height;
  for (int i = 0; i < pixels; i++)
    write_mmio<uint32_t>(memory + static_cast<uint32_t>(i) * 4, canvas.pixel(i));
  uint32_t crc = 0xffffffffU;
  bool same = true;
  for (int i = 0; i < pixels; i++) {
    auto pixel = read_mmio<uint32_t>(memory + static_cast<uint32_t>(i) * 4);
    if (pixel != canvas.pixel(i)) same = false;
    for (int shift = 0; shift < 32; shift += 8) crc = crc_byte(crc, pixel >> shift & 0xffU);
  }
  return Shown{~crc, same};
}

}  // namespace guest::display
