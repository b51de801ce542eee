#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The parts of faults.sh that run inside the host: faults_inside.sh PART
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$(readlink -f "$0")")/inside.sh"
machines=/run/tessera/machines
sliced=0000:02:00.0
mib=64

monitor() { qemu_monitor "$machines/$1/qmp.sock" "$2"; }
machine() { # NAME OPTION...: starts one and leaves it running
  local name=$1
  shift
  tessera run --name "$name" --memory $mib --kernel "$TESSERA_BUILD_DIR/lab-guest.elf" \
    --until "GUEST READY" --detach "$@" >"/run/$name.said" 2>&1 </dev/null || { cat "/run/$name.said"; failed "no $name"; }
}
runs() { is "the state of $1" "$(monitor "$1" "info status" | tr -d '\r')" "VM status: $2"; }
pid_of() { cat "$machines/$1/pid"; }

start() {
  [ -w /dev/kvm ] || { say "skipped: this host has no KVM"; exit 77; }
  machine hit
  machine beside
  run 0 tessera doctor "$sliced"
  ! says_anything_of memory-failure || failed "memory failed before it did"
  ! says_anything_of bus-errors || failed "errors before there were any"
}
says_anything_of() { [[ $output == *"$1"* ]]; }

memory() {
  say "--- a page of one guest's memory fails"
  local pid page
  pid=$(pid_of hit)
  page=$(guest_page "$pid" $mib 0x400000)
  echo "$page" >/sys/devices/system/memory/hard_offline_page
  dmesg | grep "Memory failure: .*: Sending SIGBUS to qemu-system-x86:$pid " || failed "the kernel told nobody"
  grep -q "Guest MCE Memory Error .* GUEST addr 0x400000" $machines/hit/qemu.log || failed "QEMU was not told"
  runs beside running
  run 1 tessera doctor "$sliced"
  says "Memory of machine hit (qemu-system-x86, pid $pid) failed"
  says "[memory-failure]"
  [[ $output != *"machine beside"* ]] || failed "it names a machine that was not hit"
}

before_error() {
  say "--- a card reports an error while a machine has it"
  run 0 tessera assign "$card.0" --to vm
  machine owner --card "$card.0"
}

after_error() {
  dmesg | grep "$card.0.*\[14\] CmpltTO" || failed "the kernel saw no error"
  is "its counter" "$(grep CmpltTO "$devices/$card.0/aer_dev_nonfatal")" "CmpltTO 1"
  runs owner "paused (internal-error)"
  runs beside running
  local pid
  pid=$(pid_of owner)
  run 2 tessera doctor "$card.0"
  says "The card's link lost data: 1 error that cannot be corrected (CmpltTO)"
  says "machine owner (qemu-system-x86, pid $pid) has /dev/vfio/"
  says "End machine owner"

  say "--- the printed fix"
  run 0 tessera run --stop owner
  run 0 tessera assign "$card.0" --to host
  run 2 tessera doctor "$card.0"
  says "run    echo 1 | sudo tee $devices/$card.0/remove; echo 1 | sudo tee /sys/bus/pci/rescan"
  echo 1 >"$devices/$card.0/remove"
  echo 1 >/sys/bus/pci/rescan
  run 1 tessera doctor "$card.0" # of the memory, still
  ! says_anything_of bus-errors || failed "the fix did not help"
}

cordoned() {
  say "--- a card that is cut reports an error"
  is "its counter" "$(grep CmpltTO "$devices/$sliced/aer_dev_nonfatal")" "CmpltTO 1"
  run 17 tessera slice "$sliced" 1x4G
  says "gets no new slices [bus-errors]"
  run 0 tessera profiles "$sliced"
  says "[bus-errors]; see tessera doctor $sliced"
  is "slices made all the same" "$(find /sys/bus/mdev/devices/ -mindepth 1)" ""
  echo 1 >"$devices/$sliced/remove"
  echo 1 >/sys/bus/pci/rescan
  tessera doctor "$sliced" | grep bus-errors && failed "the fix did not help"
  tessera run --stop beside >/dev/null
}

"$1"
