// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

/// The PC's I/O ports, and memory of devices.
namespace guest {

inline void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0,%1" : : "a"(value), "Nd"(port));
}
inline uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1,%0" : "=a"(value) : "Nd"(port));
  return value;
}
inline void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0,%1" : : "a"(value), "Nd"(port));
}
inline uint32_t in32(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1,%0" : "=a"(value) : "Nd"(port));
  return value;
}

/// Waits by the PC's timer (8254, channel 2, 1193182 Hz); at most 54 ms at once.
void pause_us(uint32_t microseconds);

template <typename T>
inline T read_mmio(uint32_t address) {
  return *reinterpret_cast<const volatile T*>(address);
}
template <typename T>
inline void write_mmio(uint32_t address, T value) {
  *reinterpret_cast<volatile T*>(address) = value;
}

}  // namespace guest
