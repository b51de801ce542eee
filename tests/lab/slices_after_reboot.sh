#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Slices that are defined are there again after a reboot, by what the boot unit runs, and by mdevctl's own
# start in whichever order; each once. What of a host outlives its boot is on its disk. The lab's writes
# are in memory, so this script carries the three folders across that hold such things.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
disk=$XDG_RUNTIME_DIR/disk
kept="/etc/mdevctl.d /etc/tessera /var/lib/tessera"
mkdir "$disk"

xfer() { echo "$XDG_RUNTIME_DIR"/tessera-lab-*/"$lab_host"/xfer; }
part() { inside "$here/slices_after_reboot_inside.sh" "$@" || exit 1; }
# reboot: the host ends, and another one starts with its disk
reboot() {
  # shellcheck disable=SC2086  # the words of $kept
  inside sh -c 'tar cf /xfer/disk.tar $(ls -d "$@" 2>/dev/null)' sh $kept 2>/dev/null
  mv "$(xfer)/disk.tar" "$disk/"
  kernel_is_content
  lower
  boot slices
  cp "$disk/disk.tar" "$(xfer)/"
  inside tar xf /xfer/disk.tar -C /
}

boot slices
part define
reboot
part restore
reboot
part mdevctl_first
reboot
part mdevctl_second
kernel_is_content
