// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

namespace guest {
namespace {

struct Cpuid {
  uint32_t a, b, c, d;
};

Cpuid cpuid(uint32_t leaf) {
  Cpuid r{};
  __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
  return r;
}

constexpr uint32_t signature(const char* s) {
  return static_cast<uint32_t>(s[0]) | static_cast<uint32_t>(s[1]) << 8 |
         static_cast<uint32_t>(s[2]) << 16 | static_cast<uint32_t>(s[3]) << 24;
}

void add_characters(Line& line, uint32_t four) {
  for (int i = 0; i < 4; i++) {
    char c = static_cast<char>(four >> (8 * i) & 0xffU);
    if (c > ' ' && c <= '~') line.add(c);
  }
}

}  // namespace

Line hypervisor_name() {
  Line name;
  if ((cpuid(1).c >> 31) == 0) return name.add("no hypervisor");
  Cpuid leaf = cpuid(0x40000000);
  if (leaf.b == signature("KVMK")) return name.add("KVM");
  if (leaf.b == signature("TCGT")) return name.add("TCG");
  add_characters(name, leaf.b);
  add_characters(name, leaf.c);
  add_characters(name, leaf.d);
  return name;
}

const char* appended_text(const BootInfo& info) {
  constexpr uint32_t has_command_line = 1U << 2;
  if ((info.flags & has_command_line) == 0 || info.command_line == 0) return "";
  const char* text = reinterpret_cast<const char*>(info.command_line);
  while (*text != 0 && *text != ' ') text++;
  while (*text == ' ') text++;
  return text;
}

}  // namespace guest
