// SPDX-License-Identifier: Apache-2.0
#include "serial.h"

#include "ports.h"

namespace guest::serial {
namespace {

constexpr uint16_t com1 = 0x3f8;
constexpr uint8_t transmitter_empty = 0x20;

void put(char c) {
  while ((in8(com1 + 5) & transmitter_empty) == 0) {
  }
  out8(com1, static_cast<uint8_t>(c));
}

}  // namespace

void open() {
  out8(com1 + 1, 0);     // no interrupts
  out8(com1 + 3, 0x80);  // the next two are the divisor
  out8(com1 + 0, 1);
  out8(com1 + 1, 0);
  out8(com1 + 3, 0x03);  // 8 bits, no parity, one stop bit
}

void print_line(const Line& line) {
  for (const char* c = line.c_str(); *c != 0; c++) put(*c);
  put('\r');
  put('\n');
}

}  // namespace guest::serial
