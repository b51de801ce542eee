#!/usr/bin/env bash
# How long the layout of slices takes, for 16 cards and some 200 slices by the kinds of rules that
# cards have. There is no peer: what others do is to take the first place that fits, which is no proof.
#   bench/slices.sh [ROUNDS [NAME]]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${TESSERA_BUILD_DIR:-$PWD/build}
cmake --build "$build" --target bench_slices_layout >/dev/null
"$build/bench_slices_layout" "$@"
