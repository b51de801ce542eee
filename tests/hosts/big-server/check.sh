#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The big server answers the same as a recording and played by the fake host, and its recording does.
#   check.sh TESSERA FAKEHOST
set -euo pipefail
tessera=$1
fakehost=$2
work=$(mktemp -d)
# shellcheck disable=SC2317,SC2329  # called by the trap
leave() {
  [ ! -d "$work/host/.kernel" ] || "$fakehost" --unmount "$work/host" || true
  rm -rf "$work"
}
trap leave EXIT
failed() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}
# answers HOST: without the two keys that tell where they come from
answers() {
  "$tessera" --root "$1" --json list | grep -vE '^  "(source|live)": '
  "$tessera" --root "$1" doctor || true
  "$tessera" --root "$1" show 0000:ba:00.0
}

"$(dirname "$0")/generate.py" >"$work/tree.tsv"
"$tessera" --root "$work/tree.tsv" list >"$work/list"
[ "$(grep -c 'AD102GL \[L40S\]' "$work/list")" = 8 ] || failed "the list has not 8 GPUs: $(cat "$work/list")"

answers "$work/tree.tsv" >"$work/as-recorded"
[ "$(grep -c "cut into 32 virtual functions" "$work/as-recorded")" = 8 ] || failed "not every GPU has 32 virtual functions"
"$tessera" --root "$work/tree.tsv" record "$work/again.tsv" >/dev/null
answers "$work/again.tsv" >"$work/as-recorded-again"
diff "$work/as-recorded" "$work/as-recorded-again" || failed "its recording answers something else"

[ -w /dev/fuse ] || { echo "skipped the rest: no /dev/fuse"; exit 0; }
"$fakehost" "$work/tree.tsv" "$work/host"
"$tessera" --root "$work/host" list >"$work/played"
diff "$work/list" "$work/played" || failed "the played host lists something else"
"$tessera" --root "$work/host" doctor >"$work/doctor" || true
[ "$(grep -c 'slices-in-use\]' "$work/doctor")" = 8 ] || failed "the doctor on the played host: $(cat "$work/doctor")"
