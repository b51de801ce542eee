#!/usr/bin/env bash
# `tessera list` beside other inventories of the same host, the big server of tests/hosts (8 GPUs, 256
# virtual functions), played by the fake host, and beside a floor: a program that only reads the files
# that `tessera list` reads. The fake host answers every file through FUSE, so that the times are its as
# much as the readers'; the ratios, and the number of system calls, are what to look at.
#   bench/inventory.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${TESSERA_BUILD_DIR:-$PWD/build}
rounds=${1:-15}
work=$(mktemp -d)
host=$work/host
# shellcheck disable=SC2317,SC2329  # called by the trap
leave() {
  [ ! -d "$host/.kernel" ] || "$build/tessera-fakehost" --unmount "$host" || true
  rm -rf "$work"
}
trap leave EXIT

cmake --build "$build" --target bench_floor >/dev/null
tests/hosts/big-server/generate.py >"$work/tree.tsv"
"$build/tessera-fakehost" "$work/tree.tsv" "$host"

list() { "$build/tessera" --root "$host" list; }
recording() { "$build/tessera" --root "$work/tree.tsv" list; }
lspci_nnk() { lspci -A linux-sysfs -O sysfs.path="$host/sys/bus/pci" -nnk; }
floor() { "$build/bench_floor" "$work/looks"; }

# What `tessera list` reads below the host: -y names the directory that a short name is below.
strace -f -y -e trace=openat2,readlinkat,openat -o "$work/calls" "$build/tessera" --root "$host" list >/dev/null
awk -v host="$host" '
  !/ = -1 / && match($0, /[0-9]+<[^>]*>, "[^"]*"/) {
    call = substr($0, RSTART, RLENGTH)
    folder = call; sub(/^[0-9]+</, "", folder); sub(/>.*/, "", folder)
    name = call; sub(/^[^"]*"/, "", name); sub(/"$/, "", name)
    if (index(folder, host) != 1 || $0 ~ /O_DIRECTORY/) next
    link = $0 ~ /readlinkat\(/
    if (!link && $0 ~ /O_PATH/) next
    path = name == "" ? folder : folder (name ~ /^\// ? "" : "/") name
    print (link ? "l " : "f ") path
  }' "$work/calls" >"$work/looks"
printf 'tessera list   %d files and links are read, %d of them configuration spaces; %d system calls\n' \
  "$(wc -l <"$work/looks")" "$(grep -c '/config"' "$work/calls" || true)" \
  "$(strace -f -c "$build/tessera" --root "$host" list 2>&1 >/dev/null | awk '$NF == "total" { print $(NF - 2) }')"

readers=(list recording floor)
! command -v lspci >/dev/null || readers+=(lspci_nnk)
took_us() { local begin=${EPOCHREALTIME/./}; "$@" >/dev/null 2>&1; echo $((${EPOCHREALTIME/./} - begin)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
for reader in "${readers[@]}"; do
  "$reader" >/dev/null 2>"$work/error" || { echo "$reader does not work here: $(cat "$work/error")"; exit 1; }
done
for ((i = 0; i < rounds; ++i)); do
  for reader in "${readers[@]}"; do took_us "$reader" >>"$work/$reader.us"; done
done
ours=$(median <"$work/list.us")
printf 'median of %d rounds in turn\n' "$rounds"
for reader in "${readers[@]}"; do
  its=$(median <"$work/$reader.us")
  awk -v name="$reader" -v its="$its" -v ours="$ours" \
    'BEGIN { printf "%-12s %8.1f ms   list takes %.2f times as long\n", name, its / 1000, ours / its }'
done

# These look at the machine they run on only, so they are not beside the same host.
command -v lspci >/dev/null || echo "lspci: skipped, it is not installed (package pciutils)"
if ! command -v mdevctl >/dev/null; then
  echo "mdevctl: skipped, it is not installed (package mdevctl); it takes no other root in any case"
else
  echo "mdevctl types (this machine, it takes no other root): $(took_us mdevctl types) us"
fi
if ! command -v virsh >/dev/null || ! virsh -q nodedev-list >/dev/null 2>&1; then
  echo "virsh nodedev-list: skipped, no libvirtd answers here; it takes no other root in any case"
else
  echo "virsh nodedev-list (this machine): $(took_us virsh nodedev-list) us"
fi
