#!/usr/bin/env bash
# `tessera list` beside other inventories of the same host, the big server of tests/hosts (8 GPUs, 256
# virtual functions), and beside a floor: a program that only reads the files that `tessera list` reads.
# The host stands there twice: written out as plain files, which answer about as fast as a real sysfs
# (the rows to go by), and played by the fake host, where each look is a message to another process.
#   bench/inventory.sh [--lab] [ROUNDS]
# --lab: also inside a lab host with cards that make mediated devices, where mdevctl has something to see.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
build=${TESSERA_BUILD_DIR:-$PWD/build}

# shellcheck source=bench/parts/times.sh
. bench/parts/times.sh
# compare READER...: runs them in turn; the first is the one that the ratios are of.
compare() {
  local reader i ours its
  for reader; do
    "$reader" >/dev/null 2>"$work/error" || { echo "$reader does not work here: $(<"$work/error")"; exit 1; }
    : >"$work/$reader.us"
  done
  for ((i = 0; i < rounds; ++i)); do
    for reader; do took_us "$reader" >>"$work/$reader.us"; done
  done
  ours=$(median <"$work/$1.us")
  for reader; do
    its=$(median <"$work/$reader.us")
    awk -v name="${reader//_/ }" -v its="$its" -v ours="$ours" -v first="${1//_/ }" 'BEGIN {
      printf "  %-16s %8.1f ms", name, its / 1000
      if (name != first) printf "   %s takes %.2f times as long", first, ours / its
      print ""
    }'
  done
}

# --- inside the lab host: its real sysfs
tessera_list() { "$build/tessera" list; }
tessera_version() { "$build/tessera" --version; }
tessera_profiles() { "$build/tessera" profiles; }
lspci_nnk() { lspci -nnk; }
mdevctl_types() { mdevctl types; }
mdevctl_list() { mdevctl list; }
inside_the_lab() {
  local readers=(tessera_list tessera_version tessera_profiles mdevctl_types mdevctl_list)
  ! command -v lspci >/dev/null || readers+=(lspci_nnk)
  compare "${readers[@]}"
}

lab=
inside=
case ${1:-} in
  --lab) lab=1; shift ;;
  --inside) inside=1; shift ;;
esac
rounds=${1:-15}
work=$(mktemp -d)
host=$work/host
# shellcheck disable=SC2317,SC2329  # called by the trap
leave() {
  [ ! -d "$host/.kernel" ] || "$build/tessera-fakehost" --unmount "$host" || true
  rm -rf "$work"
  [ -z "${plain:-}" ] || rm -rf "$plain"
}
trap leave EXIT
if [ -n "$inside" ]; then
  inside_the_lab
  exit
fi

cmake --build "$build" --target bench_floor bench_write_out >/dev/null
tests/hosts/big-server/generate.py >"$work/tree.tsv"
"$build/tessera-fakehost" "$work/tree.tsv" "$host"
plain=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) # in memory, as sysfs is
"$build/bench_write_out" "$work/tree.tsv" "$plain"

list() { "$build/tessera" --root "$plain" list; }
floor() { "$build/bench_floor" "$work/looks"; }
lspci_plain() { lspci -A linux-sysfs -O sysfs.path="$plain/sys/bus/pci" -nnk; }
recording() { "$build/tessera" --root "$work/tree.tsv" list; }
version() { "$build/tessera" --version; }
list_played() { "$build/tessera" --root "$host" list; }
floor_played() { "$build/bench_floor" "$work/looks_played"; }
lspci_played() { lspci -A linux-sysfs -O sysfs.path="$host/sys/bus/pci" -nnk; }

# looks_of ROOT: what `tessera list` reads below it; -y names the directory that a short name is below.
looks_of() {
  strace -f -y -e trace=openat2,readlinkat,openat -o "$work/calls" "$build/tessera" --root "$1" list >/dev/null
  awk -v host="$1" '
    !/ = -1 / && match($0, /[0-9]+<[^>]*>, "[^"]*"/) {
      call = substr($0, RSTART, RLENGTH)
      folder = call; sub(/^[0-9]+</, "", folder); sub(/>.*/, "", folder)
      name = call; sub(/^[^"]*"/, "", name); sub(/"$/, "", name)
      if (index(folder, host) != 1 || $0 ~ /O_DIRECTORY/) next
      link = $0 ~ /readlinkat\(/
      if (!link && $0 ~ /O_PATH/) next
      path = name == "" ? folder : folder (name ~ /^\// ? "" : "/") name
      print (link ? "l " : "f ") path
    }' "$work/calls"
}
looks_of "$host" >"$work/looks_played"
looks_of "$plain" >"$work/looks"
printf 'tessera list reads %d files and links, %d of them configuration spaces, with %d system calls\n' \
  "$(wc -l <"$work/looks")" "$(grep -c '/config"' "$work/calls" || true)" \
  "$(strace -f -c "$build/tessera" --root "$plain" list 2>&1 >/dev/null | awk '$NF == "total" { print $(NF - 2) }')"

# beside NAME...: those of these readers that can run here.
beside() {
  local name readers=()
  for name; do [[ $name == lspci* ]] && ! command -v lspci >/dev/null || readers+=("$name"); done
  compare "${readers[@]}"
}
echo "plain files, median of $rounds rounds in turn"
beside list floor lspci_plain recording version
echo "played by the fake host, median of $rounds rounds in turn"
beside list_played floor_played lspci_played

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
if [ -n "$lab" ] && ! command -v mdevctl >/dev/null; then
  echo "lab: skipped, mdevctl is not installed (package mdevctl)"
elif [ -n "$lab" ]; then
  echo "inside the lab host 'slices', two cards that make mediated devices; median of $rounds rounds in turn"
  TESSERA_BUILD_DIR=$build tests/lab/in-lab slices "$PWD/bench/inventory.sh" --inside "$rounds"
fi
