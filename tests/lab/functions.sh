#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Virtual functions as slices, on a display-class card of a real kernel: turned on with the host's driver
# kept off, bound to VFIO, given to a guest, and all of it undone. In the lab: in-lab slices-vf functions.sh
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/inside.sh"
pf=0000:01:00
is "functions before" "$(<"$devices/$pf.0/sriov_numvfs")" 0

run 0 tessera slice "$pf.0" 2xvf --owner desk1
is "functions that are on" "$(<"$devices/$pf.0/sriov_numvfs")" 2
function_is "$pf.1" vfio-pci vfio-pci
function_is "$pf.2" vfio-pci vfio-pci
run 0 tessera list slices
says "$pf.1  vf       $pf.1  vfio-pci  "
run 17 tessera unslice --card "$pf.0"
says "it belongs to desk1"

if [ -w /dev/kvm ]; then
  say "--- a guest has both"
  run 0 tessera run --name desk1 --slice "$pf.1" --slice "$pf.2" --memory 64 --kernel "$TESSERA_BUILD_DIR/lab-guest.elf" \
    --until "GUEST READY"
  says "PCI 01:00.0 1af4:1041"
  says "PCI 02:00.0 1af4:1041"
fi

say "--- taken away, brought back, and undone"
run 0 tessera unslice --card "$pf.0" --owner desk1
[ ! -e "$devices/$pf.1" ] || failed "a function is left"
run 0 tessera undo
function_is "$pf.2" vfio-pci vfio-pci
run 0 tessera undo
is "its driver" "$(driver "$pf.1")" none
run 0 tessera undo
is "functions at the end" "$(<"$devices/$pf.0/sriov_numvfs") $(<"$devices/$pf.0/sriov_drivers_autoprobe")" "0 1"
is "the card's driver" "$(driver "$pf.0")" tessera_lab
run 0 tessera recover
