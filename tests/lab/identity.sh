#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two identical RTX cards by their real ids: one is given away with its four functions, and comes
# back; the other falls off the bus, and comes back by what the doctor prints.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
bash "$source_dir/lab/setup/qemu11.sh" >/dev/null || skip "QEMU 11.1 cannot be had here"
boot twin-rtx 300

card=0000:01:00
twin=0000:02:00
drivers() {
  inside sh -c "for f in 0 1 2 3; do
    basename \"\$(readlink /sys/bus/pci/devices/$1.\$f/driver || echo none)\"; done" | xargs
}
show() { say "# $*"; seen=$(inside "$@" 2>&1) || true; sed 's/^/    /' <<<"$seen"; }

show tessera list
[ "$(grep -cE '^[0-9a-f]{4}:.*GeForce RTX 2080 Ti' <<<"$seen")" = 2 ] || failed "not two RTX 2080 Ti"
[ "$(grep -cE '^ +0000:0[12]:00\.[123]' <<<"$seen")" = 6 ] || failed "not three further functions each"

before=$(drivers "$card")
twins=$(drivers "$twin")
show tessera assign "$card.0" --to vm
[ "$(drivers "$card")" = "vfio-pci vfio-pci vfio-pci vfio-pci" ] || failed "not all four are on vfio-pci"
[ "$(drivers "$twin")" = "$twins" ] || failed "the twin was touched: $(drivers "$twin")"
show tessera undo
[ "$(drivers "$card")" = "$before" ] || failed "the drivers are not back: $(drivers "$card")"

say "--- the twin falls off the bus"
knob() { "$TESSERA_BUILD_DIR/turn_knob" "$(echo "$XDG_RUNTIME_DIR"/*/twin-rtx/gpu1.0.control)" "$1" >/dev/null; }
off_bus() { grep -qF "[card-off-bus]" <<<"$seen"; }
show tessera doctor "$twin.0"
! off_bus || failed "it is off the bus before it is"
knob config_read=ffffffff
show tessera list
grep -q "^$twin.0 " <<<"$seen" || failed "list lost the card"
show tessera doctor "$twin.0"
off_bus || failed "the doctor does not see it"
grep -qF "/sys/bus/pci/devices/$twin.0/config: its first 16 bytes are all ff" <<<"$seen" || failed "it does not say why"
fix=$(sed -n "s/^ *run *\(echo 1 | sudo tee .*$twin.0.*rescan\)\$/\1/p" <<<"$seen")
[ -n "$fix" ] || failed "it prints no command"
inside sh -c "${fix//sudo /}" >/dev/null
show tessera list
! grep -q "^$twin.0 " <<<"$seen" || failed "the kernel lists a card that is away"
knob config_read=ok
inside sh -c "echo 1 >/sys/bus/pci/rescan"
show tessera doctor "$twin.0"
! off_bus || failed "the printed command did not bring it back"
grep -q "^$twin.0  NVIDIA" <<<"$seen" || failed "it is not back"

kernel_is_content
