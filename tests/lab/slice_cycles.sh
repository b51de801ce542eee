#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cuts a card and takes the slice away again, over and over, by the shipped program and in each of the ways
# there are, and looks for what could be left: devices, users of the module, owners, steps of the journal
# without an end, processes, and memory of the kernel's. In the lab: in-lab slices slice_cycles.sh [CYCLES]
# shellcheck source=tests/lab/mdevs.sh
. "$(dirname "$0")/mdevs.sh"
cycles=${1:-12}
state=/var/lib/tessera/state.db
types=$devices/$card.0/mdev_supported_types
log=$(mktemp)
slice=

quietly() { "$@" >"$log" 2>&1 </dev/null || failed "$* (cycle $i): $(<"$log")"; }
asked() { sqlite3 -batch "$state" "$1"; }
standing() { (shopt -s nullglob; all=("$mdevs"/*); echo "${all[*]##*/}"); }
# cut: one slice of the card's, which is $slice then
cut() {
  quietly tessera slice "$card.0" 1x8C --owner somebody
  slice=$(standing)
  [ "$mdevs/$slice/mdev_type" -ef "$types/$type" ] || failed "no 8C alone after cycle $i's slice: '$slice'"
}
# The three ways: taken away; undone; taken away, back by undo under the same name, undone.
cycle() {
  cut
  case $(($1 % 3)) in
    0) quietly tessera unslice "$slice" --owner somebody ;;
    1) quietly tessera undo ;;
    2)
      quietly tessera unslice "$slice" --owner somebody
      quietly tessera undo
      is "what undo brought back in cycle $i" "$(standing)" "$slice"
      quietly tessera undo
      ;;
  esac
  is "what stands after cycle $i" "$(standing)" ""
}

type=$(type_named "$types" "LAB V100-8C")
type=${type##*/}
before=$(available "$types")
for ((i = 0; i < 3; i++)); do cycle "$i"; done # caches fill
memory=$(kernel_kib)
plans=$(asked "SELECT count(*) FROM plan")
bytes=$(stat -c %s "$state")
started=$(now_ms)
tenth=$(((cycles + 9) / 10))
for ((i = 0; i < cycles; i++)); do
  cycle "$i"
  (((i + 1) % tenth)) || {
    say "$((i + 1)) cycles, $((($(now_ms) - started) / (i + 1))) ms each so far," \
      "the kernel's memory $(($(kernel_kib) - memory)) KiB"
  }
done
took=$(($(now_ms) - started))
plans=$(($(asked "SELECT count(*) FROM plan") - plans))
bytes=$(($(stat -c %s "$state") - bytes))
grown=$(($(kernel_kib) - memory))
say "$cycles cycles, $plans plans, $((took / cycles)) ms each; the journal grew by $((bytes / 1024)) KiB," \
  "the kernel's memory by $grown KiB"

# A device with its group and names is some 4 KiB; the processes come and go with a few hundred.
[ "$grown" -lt $((1024 + cycles)) ] || failed "it leaks: $grown KiB"
is "what can be made" "$(available "$types")" "$before"
is "users of the module" "$(</sys/module/tessera_lab/refcnt)" 0
is "owners" "$(asked 'SELECT count(*) FROM owner')" 0
is "steps without an end" "$(asked 'SELECT count(*) FROM step WHERE NOT done')" 0
is "plans that are neither in effect nor undone" \
  "$(asked "SELECT count(*) FROM plan WHERE state NOT IN ('applied', 'undone')")" 0
is "the journal's health" "$(asked 'PRAGMA integrity_check')" ok
left=$(ps -eo pid=,comm= | grep -E ' tessera(-write|-read)?$' || true)
is "processes left behind" "$left" ""
run 0 tessera recover
says "Nothing to recover"
