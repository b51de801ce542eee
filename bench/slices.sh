#!/usr/bin/env bash
# How long the layout of slices takes, for 16 cards and some 200 slices by the kinds of rules that
# cards have. There is no peer: what others do is to take the first place that fits, which is no proof.
#   bench/slices.sh [ROUNDS [NAME]]
# --lab [ROUNDS]: how long 64 mediated devices take to be made, listed and taken away in a lab host, beside
# mdevctl, libvirt and the kernel alone.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${TESSERA_BUILD_DIR:-$PWD/build}
if [ "${1:-}" = --lab ]; then
  cmake --build "$build" --target bench_floor bench_writes >/dev/null
  command -v mdevctl >/dev/null || { echo "skipped: mdevctl is not installed (package mdevctl)"; exit 0; }
  TESSERA_BUILD_DIR=$build TESSERA_LAB_DEADLINE=3600 \
    tests/lab/in-lab slices-many "$PWD/bench/parts/slices_lab.sh" "${2:-5}"
  exit
fi
cmake --build "$build" --target bench_slices_layout >/dev/null
"$build/bench_slices_layout" "$@"
