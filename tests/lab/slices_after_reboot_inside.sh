#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What slices_after_reboot.sh does in each life of its host: slices_after_reboot_inside.sh PART
# shellcheck source=tests/lab/mdevs.sh
. "$(dirname "$0")/mdevs.sh"
unit=$(dirname "$(readlink -f "$0")")/../../packaging/tessera-restore.service
defined=/var/lib/tessera/defined # this test's note of what shall be there again

# standing: "UUID PARENT TYPE" of each device, in the order of their UUIDs
standing() {
  local mdev path
  for mdev in "$mdevs"/*; do
    [ -e "$mdev" ] || continue
    path=$(readlink -f "$mdev")
    echo "${mdev##*/} $(basename "${path%/*}") $(basename "$(readlink "$mdev/mdev_type")")"
  done
}
plans() { tessera history --json | grep -c '"tessera/plan/' || true; }
owner() { sqlite3 -batch /var/lib/tessera/state.db "SELECT slice || ' ' || owner FROM owner"; }
# the_unit: the commands of the boot unit, as they are in its file
the_unit() {
  local key command
  while IFS='=' read -r key command; do
    case $key in ExecStart | ExecStartPre) ;; *) continue ;; esac
    # shellcheck disable=SC2086  # its words
    run 0 ${command/"@PREFIX@/bin/"/}
  done <"$unit"
  says "Everything that is defined is there."
}
all_of() { (shopt -s nullglob; cd "$mdevs" && all=(*); echo "${all[*]}"); }

define() {
  local on_both manual nothing
  run 0 tessera slice "$card.0" 1x8C --owner vm1
  run 0 tessera slice "$twin.0" 2x4Q+1x4C
  on_both=$(all_of)
  # shellcheck disable=SC2086  # its words
  run 0 tessera define $on_both
  standing >"$defined"
  is "the number of devices" "$(wc -l <"$defined")" 4
  run 0 tessera slice "$card.0" 1x8Q
  for manual in $(all_of); do [[ " $on_both " == *" $manual "* ]] || break; done
  run 0 tessera define --start manual "$manual"
  run 0 tessera slice "$twin.0" 1x4A
  for nothing in $(all_of); do [[ " $on_both $manual " == *" $nothing "* ]] || break; done
  [ ! -e "/etc/mdevctl.d/$twin.0/$nothing" ] || failed "$nothing is defined"
  is "the number of devices" "$(standing | wc -l)" 6
}

restore() {
  local before
  is "devices after the boot" "$(standing)" ""
  run 0 tessera restore -n
  the_unit
  is "devices" "$(standing)" "$(<"$defined")"
  is "whose they are" "$(owner)" "$(grep " $card.0 " "$defined" | cut -d" " -f1) vm1"
  before=$(plans)
  the_unit
  is "plans of a second restore" "$(plans)" "$before"
  is "devices after it" "$(standing)" "$(<"$defined")"
  run 0 mdevctl list -d
}

# As mdevctl's udev rule does when a parent comes.
mdevctl_starts() { local parent; for parent; do run 0 mdevctl start-parent-mdevs "$parent"; done; }

mdevctl_first() {
  local before
  is "devices after the boot" "$(standing)" ""
  mdevctl_starts "$twin.0"
  is "devices by mdevctl" "$(standing)" "$(grep " $twin.0 " "$defined")"
  before=$(plans)
  the_unit
  is "plans of the restore after it, for the other card's device" "$(($(plans) - before))" 1
  is "devices" "$(standing)" "$(<"$defined")"
  mdevctl_starts "$card.0" "$twin.0"
  is "devices after mdevctl once more" "$(standing)" "$(<"$defined")"
}

mdevctl_second() {
  local before
  is "devices after the boot" "$(standing)" ""
  mdevctl_starts "$card.0" "$twin.0"
  is "devices by mdevctl alone" "$(standing)" "$(<"$defined")"
  before=$(plans)
  the_unit
  is "plans of the restore after it" "$(plans)" "$before"
  is "devices" "$(standing)" "$(<"$defined")"
  run 0 tessera unslice --card "$card.0" --owner vm1
  run 0 tessera unslice --card "$twin.0"
  is "devices at the end" "$(standing)" ""
}

"$1"
