#!/usr/bin/env bash
# The part of slices.sh that runs inside the lab host `slices-many`: 64 mediated devices on four cards are
# made, listed and taken away by each tool in turn, each as it is meant to be used (mdevctl has one process
# for a device, the others one for all). The floor only does the same writes, or reads what stands where.
#   slices_lab.sh ROUNDS
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=bench/parts/times.sh
. "$here/times.sh"
# shellcheck source=tests/lab/mdevs.sh
. "$here/../../tests/lab/mdevs.sh"
# shellcheck source=tests/lab/libvirtd.sh
. "$here/../../tests/lab/libvirtd.sh"
rounds=$1
bench=$TESSERA_BUILD_DIR
work=$(mktemp -d)
count=64

# --- the same 64 devices for each tool, but for tessera, which chooses its UUIDs
for parent in $(parents); do
  type=$(type_named "$devices/$parent/mdev_supported_types" "LAB V100-1Q")
  for ((i = 0; i < count / 4; i++)); do
    id=$(uuid)
    echo "$id $parent ${type##*/}" >>"$work/wanted"
    echo "$type/create $id" >>"$work/creates"
    echo "$mdevs/$id/remove 1" >>"$work/removes"
    printf 'l %s\n' "$mdevs/$id/mdev_type" "$mdevs/$id/driver" "$mdevs/$id/iommu_group" >>"$work/looks"
    echo "<device><parent>pci_${parent//[:.]/_}</parent><capability type='mdev'><type id='${type##*/}'/><uuid>$id</uuid>" \
      "</capability></device>" >"$work/$id.xml"
    echo "nodedev-create $work/$id.xml" >>"$work/virsh_creates"
    echo "nodedev-destroy $(node_device "$id" "$parent")" >>"$work/virsh_removes"
  done
done

create_tessera() { tessera slice any "${count}x1Q"; }
# shellcheck disable=SC2046  # a word for each
remove_tessera() { tessera unslice $(printf -- '--card %s ' $(parents)); }
list_tessera() { tessera list slices; }
create_mdevctl() { local id parent type; while read -r id parent type; do mdevctl start -u "$id" -p "$parent" -t "$type"; done <"$work/wanted"; }
remove_mdevctl() { local id; while read -r id _; do mdevctl stop -u "$id"; done <"$work/wanted"; }
list_mdevctl() { mdevctl list; }
create_virsh() { virsh -q <"$work/virsh_creates"; }
remove_virsh() { virsh -q <"$work/virsh_removes"; }
list_virsh() { virsh -q nodedev-list --cap mdev; }
create_floor() { "$bench/bench_writes" "$work/creates"; }
remove_floor() { "$bench/bench_writes" "$work/removes"; }
list_floor() { "$bench/bench_floor" "$work/looks"; }

standing() { (shopt -s nullglob; all=("$mdevs"/*); echo ${#all[@]}); }
# settled NUMBER: libvirt has heard of all devices, and of none that is gone
settled() {
  local tries
  [ -n "$libvirt" ] || return 0
  for ((tries = 0; tries < 300; tries++)); do
    [ "$(list_virsh | grep -c mdev_)" != "$1" ] || return 0
    sleep 0.5
  done
  failed "libvirt does not come to see $1 devices"
}
# turn TOOL: one round of it; every tool lists what the floor has made
turn() {
  took_us "create_$1" >>"$work/create_$1"
  [ "$(standing)" = $count ] || failed "$1 made $(standing) devices"
  settled $count
  took_us "remove_$1" >>"$work/remove_$1"
  [ "$(standing)" = 0 ] || failed "$1 left $(standing) devices"
  settled 0
}
measure() { # ROUNDS TOOL...: and one before them that is not counted, for files to come into memory; 0: that one
  local i tool what rounds=$1
  shift
  for ((i = 0; i <= rounds; i++)); do
    [ "$i" -gt 1 ] || rm -f "$work"/{create,list,remove}_*
    for tool; do turn "$tool"; done
    create_floor >/dev/null
    settled $count
    for tool; do took_us "list_$tool" >>"$work/list_$tool"; done
    remove_floor >/dev/null
    settled 0
  done
  for what in list create remove; do
    for tool; do row "$what" "$tool"; done
  done
}
row() { # WHAT TOOL: its median, and how it is to tessera's
  awk -v what="$1" -v tool="$2" -v its="$(median <"$work/$1_$2")" -v ours="$(median <"$work/$1_tessera")" 'BEGIN {
    printf "  %-7s %-8s %9.1f ms", what, tool, its / 1000
    if (tool != "tessera") printf "   tessera takes %.2f times as long", ours / its
    print ""
  }'
}

libvirt=
say "$count slices on four cards, median of $rounds rounds in turn"
took_us tessera --version >/dev/null
say "  the start of the program, tessera --version: $(took_us tessera --version) us"
measure "$rounds" tessera mdevctl floor
if start_libvirtd; then
  libvirt=yes
  # It hears of each device from udevd, one after the other, so that a round takes minutes.
  say "with $(libvirtd --version) and udevd, one round"
  measure 0 tessera virsh floor
else
  say "virsh: left out, there is no $missing (packages libvirt-daemon, libvirt-clients)"
fi
