# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Whether `tessera list` and `tessera doctor` see on the host that is up what promises.txt says of it.
# Read after lib.sh.

# as_promised: fails when they do not.
as_promised() {
  local seen=$XDG_RUNTIME_DIR/seen line cards groups code=0
  line=$(grep "^$lab_host " "$here/promises.txt") || failed "$lab_host has no line in promises.txt"
  # shellcheck disable=SC2086  # the line's words
  set -- $line
  inside tessera list >"$seen"
  # A card's own line of `tessera list` starts with its address; those of its other functions do not.
  cards=$(grep -cE '^[0-9a-f]{4}:' "$seen")
  groups=$(inside sh -c 'for d in /sys/bus/pci/devices/*; do case $(cat $d/class) in
    0x03* | 0x1200* | 0x0b40*) basename "$(readlink $d/iommu_group || echo none)" ;; esac; done' |
    sort -u | wc -l)
  inside tessera doctor >>"$seen" 2>&1 || code=$?
  printf '%-13s cards %s groups %s doctor %s\n' "$lab_host" "$cards" "$groups" "$code"
  [ "$cards $groups $code" = "$2 $3 $4" ] && grep -q -- "$5" "$seen" && return
  sed 's/^/    /' "$seen"
  failed "$lab_host: cards, groups and doctor's exit code must be '$2 $3 $4', and '$5' must be said"
}
