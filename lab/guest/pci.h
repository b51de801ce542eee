// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

#include "text.h"

/// PCI by configuration mechanism 1 (ports 0xcf8 and 0xcfc), bus numbers as the firmware left them.
namespace guest::pci {

struct Bar {
  uint32_t address = 0;  ///< 0: absent, an I/O range, or above 4 GiB
  uint32_t size = 0;
};

struct Function {
  uint8_t bus = 0;
  uint8_t device = 0;
  uint8_t number = 0;
  uint16_t vendor = 0;
  uint16_t id = 0;
  uint32_t class_code = 0;  ///< 24 bits
  Bar bars[6];

  [[nodiscard]] bool is(uint16_t v, uint16_t d) const { return vendor == v && id == d; }
};

inline constexpr uint32_t most_functions = 96;

/// Every function on every bus, in address order; at most most_functions.
struct Functions {
  Function list[most_functions];
  uint32_t count = 0;
};
void scan(Functions& found);

/// Lets the function answer in memory and start transfers of its own (bus master).
void enable(const Function& function);

/// "01:00.0"
void add_address(Line& line, const Function& function);
/// "1234:1111"
void add_ids(Line& line, const Function& function);
/// "PCI 01:00.0 1234:1111 class 038000 bar0=fd000000+16M ..."
Line describe(const Function& function);
/// "16M", "4K", "256"
void add_size(Line& line, uint32_t bytes);

}  // namespace guest::pci
