#!/usr/bin/env bash
# `tessera list` beside `lspci -nnk` on the same played host: 16 cards among the DGX-2H's functions.
# The fake host answers every file through FUSE, so the times are its as much as the readers'; the
# ratio, and the files read, are what to look at.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${TESSERA_BUILD_DIR:-$PWD/build}
rounds=${1:-15}
host=$(mktemp -d)
"$build/tessera-fakehost" tests/hosts/nvidia-dgx2h-16xV100-nvswitch/tree.tsv "$host"
trap '"$build/tessera-fakehost" --unmount "$host"; rm -rf "$host"' EXIT

ours() { "$build/tessera" --root "$host" list; }
peer() { lspci -A linux-sysfs -O sysfs.path="$host/sys/bus/pci" -nnk; }

took_us() { local begin=${EPOCHREALTIME/./}; "$@" >/dev/null 2>&1; echo $((${EPOCHREALTIME/./} - begin)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

took_us ours >/dev/null
took_us peer >/dev/null
a=() b=()
for ((i = 0; i < rounds; ++i)); do
  a+=("$(took_us ours)")
  b+=("$(took_us peer)")
done
a=$(printf '%s\n' "${a[@]}" | median) b=$(printf '%s\n' "${b[@]}" | median)
printf 'tessera list  %7.1f ms\nlspci -nnk    %7.1f ms\nratio         %7.2f   (median of %d rounds in turn)\n' \
  "${a}e-3" "${b}e-3" "$(awk -v a="$a" -v b="$b" 'BEGIN { print a / b }')" "$rounds"
