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
ours_us=() peer_us=()
for ((i = 0; i < rounds; ++i)); do
  ours_us+=("$(took_us ours)")
  peer_us+=("$(took_us peer)")
done
ours_median=$(printf '%s\n' "${ours_us[@]}" | median)
peer_median=$(printf '%s\n' "${peer_us[@]}" | median)
printf 'tessera list  %7.1f ms\nlspci -nnk    %7.1f ms\nratio         %7.2f   (median of %d rounds in turn)\n' \
  "${ours_median}e-3" "${peer_median}e-3" \
  "$(awk -v a="$ours_median" -v b="$peer_median" 'BEGIN { print a / b }')" "$rounds"
