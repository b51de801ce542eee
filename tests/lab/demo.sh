#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demo works, and its pictures are some: of the right size, in many colours.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
command -v qemu-system-x86_64 >/dev/null || skip "there is no QEMU on this machine"
bash "$source_dir/lab/setup/kernel.sh" >/dev/null || skip "no kernel for the lab can be had here"
picture=$XDG_RUNTIME_DIR/demo.png
sheet=$XDG_RUNTIME_DIR/sheet.png
started=$(now_ms)
bash "$source_dir/lab/demo.sh" "$picture" "$sheet" || failed "the demo ended with exit code $?"
say "the demo took $(seconds_since "$started")"

# is_picture FILE WIDTH HEIGHT BYTES: a PNG's signature and IHDR: width, height, 8 bits, colour. (PNG
# specification, 5.2 and 11.2.2) One colour packs into few KB; the guests' pictures, with their
# gradients, do not.
is_picture() {
  local size head
  head=$(printf '89504e470d0a1a0a0000000d49484452%08x%08x08' "$2" "$3")
  head -c 26 "$1" | od -An -v -tx1 | tr -d ' \n' | grep -q "^$head" ||
    failed "$1 is no PNG of $2x$3 with 8 bits a channel"
  size=$(stat -c %s "$1")
  [ "$size" -gt "$4" ] || failed "$1 is only $size bytes: it is blank"
  say "$(basename "$1"): $2x$3, $size bytes"
}
is_picture "$picture" 1024 768 50000
# Five screens of half that size, three in a row, with margins.
is_picture "$sheet" 1584 804 150000
