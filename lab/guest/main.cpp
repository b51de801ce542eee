// SPDX-License-Identifier: Apache-2.0
//
// The lab's smallest guest. It looks through its PCI buses, drives what it knows, draws a picture
// on each display adapter it owns, and says on the serial port what it did, a line each:
//
//   PCI 01:00.0 1234:1111 class 038000 bar0=fc000000+16M bar2=fe800000+4K
//   AUDIO 01:00.1 8086:293e hda 1.0 codecs=0x0001
//   EDU 02:00.0 1234:11e8 dma=ok
//   DRAWN 01:00.0 1024x768 crc=1234abcd
//   GUEST READY cards=1 drawn=1
//
// "GUEST NO CARD" comes before the last line when there is no display adapter at all.
#include <stddef.h>
#include <stdint.h>

#include "canvas.h"
#include "display.h"
#include "helpers.h"
#include "machine.h"
#include "pci.h"
#include "picture.h"
#include "serial.h"

// The multiboot header (magic, flags, checksum), and the first instructions: a stack, then
// guest_main.
__asm__(
    ".section .multiboot,\"ax\"\n"
    ".align 4\n"
    ".long 0x1badb002, 0, -0x1badb002\n"
    ".global guest_entry\n"
    "guest_entry:\n"
    "  cli\n"
    "  movl $guest_stack_top, %esp\n"
    "  pushl %ebx\n"
    "  call guest_main\n"
    "1: hlt\n"
    "  jmp 1b\n"
    ".section .bss\n"
    ".align 16\n"
    ".skip 65536\n"
    "guest_stack_top:\n"
    ".text\n");

extern "C" void guest_main(const guest::BootInfo* info);

// The compiler may call these for copies and fills of values.
extern "C" void* memset(void* to, int value, size_t count) {
  auto* p = static_cast<volatile unsigned char*>(to);
  for (size_t i = 0; i < count; i++) p[i] = static_cast<unsigned char>(value);
  return to;
}
extern "C" void* memcpy(void* to, const void* from, size_t count) {
  auto* t = static_cast<volatile unsigned char*>(to);
  const auto* f = static_cast<const unsigned char*>(from);
  for (size_t i = 0; i < count; i++) t[i] = f[i];
  return to;
}

namespace guest {
namespace {

Canvas canvas;
pci::Functions functions;

Line heading(const char* word, const pci::Function& function) {
  Line line;
  line.add(word).add(' ');
  pci::add_address(line, function);
  line.add(' ');
  pci::add_ids(line, function);
  return line;
}

void report_audio(const pci::Function& function, Facts& facts) {
  pci::enable(function);
  Audio audio = start_audio(function);
  Line line = heading("AUDIO", function);
  Line& fact = facts.add("audio");
  fact = heading("PCI", function);
  if (!audio.running) {
    serial::print_line(line.add(" does not leave reset"));
    fact.add("   does not leave reset");
    return;
  }
  line.add(" hda ").decimal(audio.major).add('.').decimal(audio.minor);
  serial::print_line(line.add(" codecs=0x").hex(audio.codecs, 4));
  fact.add("   HD Audio ").decimal(audio.major).add('.').decimal(audio.minor);
  fact.add(", reset and running");
}

void report_edu(const pci::Function& function, Facts& facts) {
  pci::enable(function);
  bool ok = edu_copies_by_dma(function);
  serial::print_line(heading("EDU", function).add(ok ? " dma=ok" : " dma=FAILED"));
  Line& fact = facts.add("dma");
  fact = heading("PCI", function);
  fact.add(ok ? "   copied our memory there and back" : "   FAILED");
}

void add_machine(const BootInfo& info, Facts& facts) {
  Line& machine = facts.add("machine");
  machine.decimal((info.memory_upper_kib + 2047) >> 10).add(" MiB of memory, processor by ");
  machine.add(hypervisor_name().c_str());
  if (*appended_text(info) != 0) facts.add("host").add(appended_text(info));
}

/// Draws the picture with this card's own facts first. True when the card holds it.
bool draw_on(const pci::Function& card, const Facts& others) {
  Facts facts;
  Line& where = facts.add("card");
  where = heading("PCI", card);
  where.add("   framebuffer ").decimal(card.bars[0].size >> 20).add(" MiB at 0x");
  where.hex(card.bars[0].address, 8);
  for (int i = 0; i < others.count; i++) facts.add(others.rows[i].label) = others.rows[i].text;

  pci::enable(card);
  Line line;
  line.add("DRAWN ");
  pci::add_address(line, card);
  if (!display::set_mode(card)) {
    serial::print_line(heading("CARD", card).add(" does not take the mode"));
    return false;
  }
  draw_picture(canvas, facts);
  display::Shown shown = display::show(card, canvas);
  line.add(' ').decimal(Canvas::width).add('x').decimal(Canvas::height);
  line.add(" crc=").hex(shown.crc, 8);
  serial::print_line(line.add(shown.same ? "" : " READ BACK DIFFERENT"));
  return shown.same;
}

/// A display adapter without a driver here: that it answers in its own memory is all we can show.
void report_unknown_card(const pci::Function& card) {
  pci::enable(card);
  Line line = heading("CARD", card);
  line.add(" has no driver here");
  for (uint32_t i = 0; i < 6; i++) {
    if (card.bars[i].address == 0) continue;
    line.add(", bar").decimal(i).add("[0]=");
    line.hex(*reinterpret_cast<const volatile uint32_t*>(card.bars[i].address), 8);
    break;
  }
  serial::print_line(line);
}

bool is_card(const pci::Function& function) {
  return function.class_code >> 16 == 0x03 || function.class_code >> 16 == 0x12;
}

void run(const BootInfo& info) {
  Facts facts;
  pci::scan(functions);
  for (uint32_t i = 0; i < functions.count; i++) {
    const pci::Function& function = functions.list[i];
    serial::print_line(pci::describe(function));
  }
  for (uint32_t i = 0; i < functions.count; i++)
    if (is_audio(functions.list[i])) report_audio(functions.list[i], facts);
  for (uint32_t i = 0; i < functions.count; i++)
    if (is_edu(functions.list[i])) report_edu(functions.list[i], facts);
  add_machine(info, facts);

  uint32_t cards = 0, drawn = 0;
  for (uint32_t i = 0; i < functions.count; i++) {
    const pci::Function& function = functions.list[i];
    if (!is_card(function)) continue;
    cards++;
    if (!display::is_known(function))
      report_unknown_card(function);
    else if (draw_on(function, facts))
      drawn++;
  }
  if (cards == 0) serial::print_line(Line{}.add("GUEST NO CARD"));
  serial::print_line(Line{}.add("GUEST READY cards=").decimal(cards).add(" drawn=").decimal(drawn));
}

}  // namespace
}  // namespace guest

extern "C" void guest_main(const guest::BootInfo* info) {
  guest::serial::open();
  guest::run(*info);
}
