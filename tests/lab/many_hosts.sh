#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots every host of lab/hosts that this machine's QEMU can run, and looks whether `tessera list`
# and `tessera doctor` see there what the host's file promises.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

# host, number of cards, how many groups they are in, doctor's exit code, a word that it or list says
expectations='
amd-vi        3 3 1 virtio
bridge-group  3 2 2 conventional
datacenter    2 2 1 V100
mdev-samples  1 1 0 bochs-drm
no-iommu      1 1 2 iommu
numa          2 2 0 bochs-drm
one-card      1 1 0 bochs-drm
port-group    2 2 0 bochs-drm
shared-group  2 2 2 Ethernet
slices        3 3 1 tessera_lab
slices-gvt    1 1 1 tessera_lab
slices-vf     2 2 1 tessera_lab
sriov         1 1 0 bochs-drm
sriov-nic     1 1 0 bochs-drm
twin-cards    3 3 1 identical-cards
twin-rtx      3 3 1 GeForce
wrong-settings 3 3 1 huge-pages-short
'

# A card's own line of `tessera list` starts with its address; those of its other functions do not.
look_at() {
  local host=$1 seen=$XDG_RUNTIME_DIR/seen cards groups code=0
  inside tessera list >"$seen"
  cards=$(grep -cE '^[0-9a-f]{4}:' "$seen")
  groups=$(inside sh -c 'for d in /sys/bus/pci/devices/*; do case $(cat $d/class) in
    0x03* | 0x1200* | 0x0b40*) basename "$(readlink $d/iommu_group || echo none)" ;; esac; done' |
    sort -u | wc -l)
  inside tessera doctor >>"$seen" 2>&1 || code=$?
  printf '%-13s cards %s groups %s doctor %s\n' "$host" "$cards" "$groups" "$code"
  [ "$cards $groups $code" = "$2 $3 $4" ] && grep -q -- "$5" "$seen" && return
  sed 's/^/    /' "$seen"
  say "$host: cards, groups and doctor's exit code must be '$2 $3 $4', and '$5' must be said"
  wrong+=" $host"
}

tried=0
wrong=
for file in "$source_dir"/lab/hosts/*.yaml; do
  host=$(basename "$file" .yaml)
  line=$(grep "^$host " <<<"$expectations") || failed "$host has no line in this test's table"
  # One that this machine cannot have is left out; the others still count.
  (boot "$host" 120) || {
    [ $? = 77 ] || exit 1
    continue
  }
  lab_host=$host
  # shellcheck disable=SC2086  # the line's words
  look_at $line
  kernel_is_content
  lower
  tried=$((tried + 1))
done
[ -z "$wrong" ] || failed "not as promised:$wrong"
[ "$tried" -ge 9 ] || failed "only $tried hosts could be tried"
say "$tried hosts"
