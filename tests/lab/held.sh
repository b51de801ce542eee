#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A card that a process has open is not taken away from it: the refusal names the process, and only
# --stop-holders ends it. In the lab: in-lab twin-cards held.sh
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/inside.sh"

# held_by FILE: what assign does while a process has FILE open
held_by() {
  local file=$1 said pid
  say "--- a process has $file open"
  coproc USER { exec 9<"$file"; exec sed -u ''; }
  pid=$USER_PID
  echo "are you there" >&"${USER[1]}"
  read -r said <&"${USER[0]}" # once it answers it is sed, with the file open
  is "what the holder says" "$said" "are you there"

  run 12 tessera assign "$card.0" --to vm
  says "sed"
  says "$pid"
  says "$file"
  says "--stop-holders"
  on_host "$card"
  kill -0 "$pid" || failed "the holder was ended although nobody asked for it"

  run 0 tessera assign "$card.0" --to vm --stop-holders
  wait "$pid" || true
  ! kill -0 "$pid" 2>/dev/null || failed "the holder still runs"
  on_vm "$card"
  on_host "$twin"
  run 0 tessera undo
  on_host "$card"
}

held_by "/dev/dri/$(basename "$devices/$card.0"/drm/card*)"
held_by "/dev/snd/$(basename "$devices/$card.1"/sound/card*/controlC*)"
