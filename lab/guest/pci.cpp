// SPDX-License-Identifier: Apache-2.0
#include "pci.h"

#include "ports.h"

namespace guest::pci {
namespace {

constexpr uint32_t reg_command = 0x04;
constexpr uint32_t reg_class = 0x08;
constexpr uint32_t reg_header = 0x0c;
constexpr uint32_t reg_bar0 = 0x10;

struct Place {
  uint32_t bus, device, function;
};

void select(const Place& at, uint32_t reg) {
  out32(0xcf8, 0x80000000U | at.bus << 16 | at.device << 11 | at.function << 8 | (reg & 0xfcU));
}
uint32_t read(const Place& at, uint32_t reg) {
  select(at, reg);
  return in32(0xcfc);
}
void write(const Place& at, uint32_t reg, uint32_t value) {
  select(at, reg);
  out32(0xcfc, value);
}

uint32_t header_type(const Place& at) {
  return (read(at, reg_header) >> 16) & 0xffU;
}

/// The size is the two's complement of what remains of all ones (PCI 3.0, 6.2.5.1).
uint32_t measure(const Place& at, uint32_t reg) {
  uint32_t kept = read(at, reg);
  write(at, reg, 0xffffffffU);
  uint32_t mask = read(at, reg) & ~15U;
  write(at, reg, kept);
  return mask == 0 ? 0 : ~mask + 1;
}

void read_bars(const Place& at, Function& function) {
  uint32_t command = read(at, reg_command) & 0xffffU;
  write(at, reg_command, command & ~3U);  // deaf while its addresses are all ones
  for (uint32_t i = 0; i < 6; i++) {
    uint32_t reg = reg_bar0 + 4 * i;
    uint32_t value = read(at, reg);
    bool io = (value & 1) != 0;
    bool wide = (value & 7) == 4;
    uint32_t upper = wide && i < 5 ? read(at, reg + 4) : 0;
    if (!io && (value & ~15U) != 0 && upper == 0)
      function.bars[i] = Bar{value & ~15U, measure(at, reg)};
    if (wide) i++;
  }
  write(at, reg_command, command);
}

void add_function(const Place& at, Functions& found) {
  if (found.count == most_functions) return;
  Function& function = found.list[found.count++];
  uint32_t ids = read(at, 0);
  function.bus = static_cast<uint8_t>(at.bus);
  function.device = static_cast<uint8_t>(at.device);
  function.number = static_cast<uint8_t>(at.function);
  function.vendor = static_cast<uint16_t>(ids);
  function.id = static_cast<uint16_t>(ids >> 16);
  function.class_code = read(at, reg_class) >> 8;
  if ((header_type(at) & 0x7fU) == 0) read_bars(at, function);
}

}  // namespace

void scan(Functions& found) {
  for (uint32_t bus = 0; bus < 256; bus++) {
    for (uint32_t device = 0; device < 32; device++) {
      bool many = false;
      for (uint32_t number = 0; number < 8 && (number == 0 || many); number++) {
        Place at{bus, device, number};
        if ((read(at, 0) & 0xffffU) == 0xffffU) continue;
        if (number == 0) many = (header_type(at) & 0x80U) != 0;
        add_function(at, found);
      }
    }
  }
}

void enable(const Function& function) {
  Place at{function.bus, function.device, function.number};
  write(at, reg_command, (read(at, reg_command) & 0xffffU) | 6U);
}

void add_address(Line& line, const Function& function) {
  line.hex(function.bus, 2).add(':').hex(function.device, 2).add('.').hex(function.number, 1);
}

void add_ids(Line& line, const Function& function) {
  line.hex(function.vendor, 4).add(':').hex(function.id, 4);
}

void add_size(Line& line, uint32_t bytes) {
  if (bytes >= 1U << 20)
    line.decimal(bytes >> 20).add('M');
  else if (bytes >= 1U << 10)
    line.decimal(bytes >> 10).add('K');
  else
    line.decimal(bytes);
}

Line describe(const Function& function) {
  Line line;
  line.add("PCI ");
  add_address(line, function);
  line.add(' ');
  add_ids(line, function);
  line.add(" class ").hex(function.class_code, 6);
  for (uint32_t i = 0; i < 6; i++) {
    if (function.bars[i].address == 0) continue;
    line.add(" bar").decimal(i).add('=').hex(function.bars[i].address, 8).add('+');
    add_size(line, function.bars[i].size);
  }
  return line;
}

}  // namespace guest::pci
