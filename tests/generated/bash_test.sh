#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The completion script is good bash and completes verbs, options, choices and cards.
set -euo pipefail
binary=$1
host=$(dirname "$(readlink -f "$0")")/../hosts/intel-z370-rtx2080ti-rtx2060/tree.tsv
script=$(mktemp)
trap 'rm -f "$script"' EXIT
"$binary" generate bash >"$script"
bash -n "$script"
# shellcheck source=/dev/null
. "$script"

# The completion asks the program for cards; here it is asked about a recorded host.
tessera() { "$binary" --root "$host" "$@"; }

failed=0
completes() { # LINE EXPECTED...
  local line=$1
  shift
  COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
  _tessera
  if [ "${COMPREPLY[*]}" = "$*" ]; then
    echo "ok: '$line' gives '$*'"
  else
    echo "FAILED: '$line' gives '${COMPREPLY[*]}', not '$*'"
    failed=1
  fi
}

completes 'tessera as' assign
completes 'tessera --json as' assign
completes 'tessera --root /tmp --state /tmp as' assign
completes 'tessera assign --t' --to
completes 'tessera assign --to ' vm host
completes 'tessera assign --to=h' host
completes 'tessera assign --ver' --version
completes 'tessera gener'
completes 'tessera module ' load
mapfile -t cards < <(tessera generate cards | cut -f1)
[ ${#cards[@]} -ge 2 ] || { echo "FAILED: the recorded host has two cards, not ${#cards[@]}"; failed=1; }
completes 'tessera assign ' "${cards[@]}"
completes "tessera assign ${cards[0]:0:5}" "${cards[@]#"${cards[0]:0:5}"}"
completes "tessera assign ${cards[0]} --to v" vm
exit $failed
