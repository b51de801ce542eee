#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Gives one of the twins away and takes it back, over and over, and looks each time at both functions
# and at the twin. In the lab: in-lab twin-cards soak.sh [TIMES]
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/inside.sh"
times=${1:-100}

on_host "$card"
on_host "$twin"
started=$(now_ms)
tenth=$started
for ((i = 1; i <= times; i++)); do
  tessera assign "$card.0" --to vm >/tmp/soak.log 2>&1 || failed "assign $i: $(cat /tmp/soak.log)"
  on_vm "$card"
  on_host "$twin"
  tessera assign "$card.0" --to host >/tmp/soak.log 2>&1 || failed "release $i: $(cat /tmp/soak.log)"
  on_host "$card"
  on_host "$twin"
  if ((i % 10 == 0)); then
    now=$(now_ms)
    say "$i times; the last 10 took $((now - tenth)) ms"
    tenth=$now
  fi
done
took=$(($(now_ms) - started))

for file in "$devices"/*/driver_override; do
  is "$file" "$(cat "$file")" '(null)'
done
left=$(ps -eo pid=,comm= | grep -E ' tessera(-write|-read)?$' || true)
is "the list of processes left behind" "$left" ""
is "the number of applied plans" "$(tessera history | grep -c ' applied  *assign ')" $((2 * times))
is "the number of plans" "$(tessera history --json | grep -c '"tessera/plan/')" $((2 * times))
printf '%d times given away and taken back, %d.%02d s each\n' "$times" $((took / times / 1000)) \
  $((took / times % 1000 / 10))
