#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demo works, and its picture is one: 1024x768, in many colours.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
command -v qemu-system-x86_64 >/dev/null || skip "there is no QEMU on this machine"
bash "$source_dir/lab/setup/kernel.sh" >/dev/null || skip "no kernel for the lab can be had here"
picture=$XDG_RUNTIME_DIR/demo.png
started=$(now_ms)
bash "$source_dir/lab/demo.sh" "$picture" || failed "the demo ended with exit code $?"
say "the demo took $(seconds_since "$started")"

# A PNG's signature and IHDR: width, height, 8 bits, colour. (PNG specification, 5.2 and 11.2.2)
head -c 26 "$picture" | od -An -v -tx1 | tr -d ' \n' |
  grep -q '^89504e470d0a1a0a0000000d49484452000004000000030008' ||
  failed "$picture is no PNG of 1024x768 with 8 bits a channel"
# One colour packs into some 3 KB; the guest's picture, with its gradients, does not.
size=$(stat -c %s "$picture")
[ "$size" -gt 50000 ] || failed "the picture is only $size bytes: it is blank"
say "the picture: 1024x768, $size bytes"
