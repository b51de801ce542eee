# shellcheck shell=bash
# shellcheck disable=SC2034  # the scripts that read this one use its names
# SPDX-License-Identifier: Apache-2.0
# What the tests of mediated devices share. All in the shell itself: a process costs 50 ms here.
# shellcheck source=tests/lab/inside.sh
. "$(dirname "${BASH_SOURCE[0]}")/inside.sh"
mdevs=/sys/bus/mdev/devices

uuid() { local id; read -r id </proc/sys/kernel/random/uuid; echo "$id"; }
parents() { (shopt -s nullglob; all=(/sys/class/mdev_bus/*); echo "${all[*]##*/}"); }
# type_named FOLDER NAME: the folder of that type
type_named() {
  local type name
  for type in "$1"/*; do
    read -r name <"$type/name"
    [ "$name" != "$2" ] || { echo "$type"; return; }
  done
  failed "no type of $1 is named $2"
}
# answer FILE TEXT: writes it; what the kernel answers is "ok" or its words for an errno
answer() {
  local said
  if said=$(LC_ALL=C echo "$2" 2>&1 >"$1"); then echo ok; else echo "${said##*: }"; fi
}
# available FOLDER: how many of each of its types there can be, in the order of their names
available() {
  local type number
  for type in "$1"/*; do
    read -r number <"$type/available_instances"
    printf '%s:%s ' "${type##*/}" "$number"
  done
}
remove_all() { local mdev; for mdev in "$mdevs"/*; do [ ! -e "$mdev" ] || echo 1 >"$mdev/remove"; done; }
# kernel_kib: what the kernel has for itself and cannot just drop
kernel_kib() { awk '/^(SUnreclaim|KernelStack|PageTables|VmallocUsed|Percpu):/ { sum += $2 } END { print sum }' /proc/meminfo; }
full="No space left on device" # ENOSPC, what a driver says that counts for itself
core_full="Too many users"     # EUSERS, what the kernel's mdev core says where it counts for the driver
