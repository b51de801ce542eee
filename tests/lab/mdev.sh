#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Mediated devices on a real kernel, by its own files: what the types say, what create and remove answer,
# the rule of one size, and a guest that draws on one. In the lab: in-lab slices mdev.sh [CYCLES]
# shellcheck source=tests/lab/mdevs.sh
. "$(dirname "$0")/mdevs.sh"
cycles=${1:-1000}
work=$(mktemp -d)
knobs=/sys/module/tessera_lab/parameters
gpu0=$devices/0000:01:00.0/mdev_supported_types
gpu1=$devices/0000:02:00.0/mdev_supported_types

# sizes FOLDER: "1024:16 2048:8 ...", how many of each framebuffer size there can be; all series agree
sizes() {
  local type description mib available
  local -A of=()
  for type in "$1"/*; do
    read -r description <"$type/description"
    read -r available <"$type/available_instances"
    mib=${description#*framebuffer=}
    mib=${mib%%M*}
    [ "${of[$mib]:-$available}" = "$available" ] || failed "there are ${of[$mib]} and $available of $mib MiB"
    of[$mib]=$available
  done
  for mib in 1024 2048 4096 8192 16384; do printf '%s:%s ' "$mib" "${of[$mib]:-none}"; done
}

say "--- types"
is "the parents" "$(parents)" "0000:01:00.0 0000:02:00.0"
line='^num_heads=[0-9]+, frl_config=[0-9]+, framebuffer=[0-9]+M, max_resolution=[0-9]+x[0-9]+, max_instance=[0-9]+$'
for type in "$gpu0"/*; do
  read -r name <"$type/name"
  read -r description <"$type/description"
  [[ ${type##*/} =~ ^tessera_lab-[0-9]+$ ]] || failed "a type's folder is ${type##*/}"
  [[ $name =~ ^LAB\ V100-[0-9]+[ABCQ]$ ]] || failed "a type is named $name"
  [[ $description =~ $line ]] || failed "a type's description is $description"
  is "its API" "$(<"$type/device_api")" vfio-pci
  files=("$type"/*)
  is "its files" "${files[*]##*/}" "available_instances create description device_api devices name"
done
c8=$(type_named "$gpu0" "LAB V100-8C")
q8=$(type_named "$gpu0" "LAB V100-8Q")
c4=$(type_named "$gpu0" "LAB V100-4C")
is "what an 8C is" "$(cat "$c8/description")" \
  "num_heads=1, frl_config=60, framebuffer=8192M, max_resolution=4096x2160, max_instance=2"
is "what fits on an empty card" "$(sizes "$gpu0")" "1024:16 2048:8 4096:4 8192:2 16384:1 "

say "--- mdevctl sees the same"
for type in "$gpu0"/*; do
  printf '  %s\n    Available instances: %s\n    Device API: vfio-pci\n    Name: %s\n    Description: %s\n' \
    "${type##*/}" "$(<"$type/available_instances")" "$(<"$type/name")" "$(<"$type/description")"
done >"$work/ours"
is "what mdevctl lists for one card" "$(mdevctl types -p 0000:01:00.0 | tail -n +2)" "$(<"$work/ours")"

say "--- create, twice the same, full, one size"
first=$(uuid)
is "the first" "$(answer "$c8/create" "$first")" ok
[ -e "$mdevs/$first/iommu_group" ] || failed "the device has no group"
is "its parent" "$(basename "$(dirname "$(readlink -f "$mdevs/$first")")")" 0000:01:00.0
is "its type" "$(basename "$(readlink "$mdevs/$first/mdev_type")")" "$(basename "$c8")"
is "the same UUID again" "$(answer "$c8/create" "$first")" "File exists"
is "the same UUID on another card" "$(answer "$(type_named "$gpu1" "LAB V100-8C")/create" "$first")" "File exists"
is "no UUID" "$(answer "$c8/create" nonsense)" "Invalid argument"
is "what fits beside an 8C" "$(sizes "$gpu0")" "1024:0 2048:0 4096:0 8192:1 16384:0 "
is "what fits on the other card" "$(sizes "$gpu1")" "1024:16 2048:8 4096:4 8192:2 16384:1 "
is "another size" "$(answer "$c4/create" "$(uuid)")" "$full"
is "another series of the same size" "$(answer "$q8/create" "$(uuid)")" ok
is "what fits on a full card" "$(sizes "$gpu0")" "1024:0 2048:0 4096:0 8192:0 16384:0 "
is "one too many" "$(answer "$c8/create" "$(uuid)")" "$full"
is "what mdevctl lists" "$(mdevctl list | grep -c ' 0000:01:00.0 tessera_lab-')" 2
is "remove" "$(answer "$mdevs/$first/remove" 1)" ok
[ ! -e "$mdevs/$first" ] || failed "it is still there"
is "what fits after one is gone" "$(sizes "$gpu0")" "1024:0 2048:0 4096:0 8192:1 16384:0 "
remove_all
is "what fits on the empty card" "$(sizes "$gpu0")" "1024:16 2048:8 4096:4 8192:2 16384:1 "

say "--- faults"
echo 5 >$knobs/fail_create # EIO
is "a create that is to fail" "$(answer "$c8/create" "$first")" "Input/output error"
[ ! -e "$mdevs/$first" ] || failed "it is there all the same"
is "the next one" "$(answer "$c8/create" "$first")" ok
is "what fits after both" "$(<"$c8/available_instances")" 1
echo 7 >$knobs/claim_available
is "what the card claims" "$(<"$c4/available_instances")" 7
is "a create on that claim" "$(answer "$c4/create" "$(uuid)")" "$full"
echo -1 >$knobs/claim_available
echo 300 >$knobs/create_delay_ms
began=$(now_ms)
is "a slow create" "$(answer "$c8/create" "$(uuid)")" ok
[ $(($(now_ms) - began)) -ge 300 ] || failed "it was not slow"
echo 0 >$knobs/create_delay_ms
remove_all

say "--- $cycles times made and removed"
cycle() {
  local i
  for ((i = 0; i < $1; i++)); do
    echo "$first" >"$c8/create"
    echo 1 >"$mdevs/$first/remove"
  done
}
cycle 100 # caches fill
before=$(kernel_kib)
began=$(now_ms)
cycle "$cycles"
took=$(($(now_ms) - began))
grown=$(($(kernel_kib) - before))
say "$((took * 1000 / cycles)) us each; the kernel's memory grew by $grown KiB"
# A device, its group and their names are some 4 KiB.
[ "$grown" -lt "$cycles" ] || failed "it leaks: $grown KiB"
is "devices left" "$(find "$mdevs/" -mindepth 1 | wc -l)" 0
is "users of the module" "$(cat /sys/module/tessera_lab/refcnt)" 0

say "--- a guest draws on one"
guest=$(uuid)
echo "$guest" >"$q8/create"
acceleration=(-M "q35,accel=tcg")
[ ! -w /dev/kvm ] || acceleration=(-M "q35,accel=kvm" -cpu host)
mkfifo "$work/serial"
began=$(now_ms)
coproc QEMU {
  exec qemu-system-x86_64 "${acceleration[@]}" -m 64 -nodefaults -display none -monitor stdio -serial "file:$work/serial" \
    -kernel "$TESSERA_BUILD_DIR/lab-guest.elf" -device "vfio-pci,id=slice,sysfsdev=$mdevs/$guest,display=on" 2>&1
}
pid=$QEMU_PID
timeout 120 sed '/^GUEST READY/q' "$work/serial" | tee "$work/said" | sed 's/^/    /'
say "ready after $(($(now_ms) - began)) ms"
grep -q '^DRAWN .* 1024x768 crc=' "$work/said" || failed "the guest drew nothing"
grep -q '^GUEST READY cards=1 drawn=1' "$work/said" || failed "the guest is not ready"
is "a size beside the guest's" "$(answer "$c4/create" "$(uuid)")" "$full"
echo "screendump $work/screen.png -f png slice" >&"${QEMU[1]}"
echo "quit" >&"${QEMU[1]}"
cat <&"${QEMU[0]}" >"$work/qemu" || true
wait "$pid" || { cat "$work/qemu"; failed "QEMU ended with $?"; }
# A PNG's signature and IHDR: width, height, 8 bits, colour. One colour packs into some 3 KB.
head -c 26 "$work/screen.png" | od -An -v -tx1 | tr -d ' \n' |
  grep -q '^89504e470d0a1a0a0000000d49484452000004000000030008' || { cat "$work/qemu"; failed "no picture of 1024x768"; }
size=$(stat -c %s "$work/screen.png")
[ "$size" -gt 50000 ] || failed "the picture is only $size bytes: it is blank"
say "the picture: 1024x768, $size bytes"
[ ! -d /xfer ] || cp "$work/screen.png" /xfer/
remove_all
is "devices left" "$(find "$mdevs/" -mindepth 1 | wc -l)" 0
