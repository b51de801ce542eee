// SPDX-License-Identifier: Apache-2.0
#include "helpers.h"

#include "ports.h"

namespace guest {
namespace {

/// Waits up to two seconds until the masked register reads `wanted`.
bool wait_for(uint32_t address, uint32_t mask, uint32_t wanted) {
  for (int tries = 0; tries < 4000; tries++) {
    if ((read_mmio<uint32_t>(address) & mask) == wanted) return true;
    pause_us(500);
  }
  return false;
}

// HD Audio registers (specification 1.0a, section 3.3).
constexpr uint32_t hda_minor = 0x02, hda_major = 0x03, hda_control = 0x08, hda_codecs = 0x0e;
constexpr uint32_t hda_running = 1;

// edu's registers (QEMU's docs/specs/edu).
constexpr uint32_t edu_source = 0x80, edu_target = 0x88, edu_count = 0x90, edu_command = 0x98;
constexpr uint32_t edu_memory = 0x40000;
constexpr uint32_t edu_start = 1, edu_from_device = 2;

bool edu_transfer(uint32_t base, uint32_t source, uint32_t target, uint32_t bytes) {
  bool from_device = source == edu_memory;
  write_mmio<uint32_t>(base + edu_source, source);
  write_mmio<uint32_t>(base + edu_source + 4, 0);
  write_mmio<uint32_t>(base + edu_target, target);
  write_mmio<uint32_t>(base + edu_target + 4, 0);
  write_mmio<uint32_t>(base + edu_count, bytes);
  write_mmio<uint32_t>(base + edu_count + 4, 0);
  write_mmio<uint32_t>(base + edu_command, edu_start | (from_device ? edu_from_device : 0));
  return wait_for(base + edu_command, edu_start, 0);
}

uint32_t address_of(const volatile uint32_t* memory) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(memory));
}

}  // namespace

bool is_audio(const pci::Function& function) {
  return function.class_code >> 8 == 0x0403 && function.bars[0].address != 0;
}

Audio start_audio(const pci::Function& function) {
  uint32_t base = function.bars[0].address;
  Audio audio;
  write_mmio<uint32_t>(base + hda_control, 0);
  if (!wait_for(base + hda_control, hda_running, 0)) return audio;
  write_mmio<uint32_t>(base + hda_control, hda_running);
  audio.running = wait_for(base + hda_control, hda_running, hda_running);
  pause_us(1000);  // codecs announce themselves within 521 us
  audio.minor = read_mmio<uint8_t>(base + hda_minor);
  audio.major = read_mmio<uint8_t>(base + hda_major);
  audio.codecs = read_mmio<uint16_t>(base + hda_codecs) & 0x7fffU;
  return audio;
}

bool is_edu(const pci::Function& function) {
  return function.is(0x1234, 0x11e8) && function.bars[0].address != 0;
}

bool edu_copies_by_dma(const pci::Function& function) {
  constexpr uint32_t words = 64;
  alignas(4096) static volatile uint32_t sent[words], received[words];
  for (uint32_t i = 0; i < words; i++) {
    sent[i] = 0x7e55e2a0U + i * 0x01010101U;
    received[i] = 0;
  }
  uint32_t base = function.bars[0].address;
  if (!edu_transfer(base, address_of(sent), edu_memory, sizeof sent)) return false;
  if (!edu_transfer(base, edu_memory, address_of(received), sizeof received)) return false;
  for (uint32_t i = 0; i < words; i++)
    if (received[i] != sent[i]) return false;
  return true;
}

}  // namespace guest
