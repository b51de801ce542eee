#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two changes at once: the second waits for the first, or is refused and told who is at work; their
# steps never mix. In the lab: in-lab twin-cards lock.sh
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/inside.sh"
state=/var/lib/tessera
work=$(mktemp -d)
before=$(sqlite3 -batch "$state/state.db" "SELECT ifnull(max(id), 0) FROM plan" 2>/dev/null || echo 0)

say "--- both twins are assigned at the same time"
tessera assign "$card.0" --to vm --wait 120 >"$work/first" 2>&1 &
first=$!
tessera assign "$twin.0" --to vm --wait 120 >"$work/second" 2>&1 &
second=$!
wait "$first" || failed "the first assign: $(cat "$work/first")"
wait "$second" || failed "the second assign: $(cat "$work/second")"
on_vm "$card"
on_vm "$twin"

# The journal's rows are in the order in which the steps began.
order=$(sqlite3 -batch "$state/state.db" "SELECT plan FROM step WHERE plan > $before ORDER BY rowid" | uniq | xargs)
say "plans of the steps, in the order in which they began: $order"
is "that order" "$order" "$((before + 1)) $((before + 2))"
run 0 tessera undo
run 0 tessera undo
on_host "$card"
on_host "$twin"

say "--- who does not wait is refused, and told who is at work"
exec 8<>"$state/lock"
flock 8
echo "pid $$, a change that takes its time" >"$state/lock"
run 12 tessera assign "$card.0" --to vm --wait 0
says "pid $$, a change that takes its time"
on_host "$card"

exec 8>&-
run 0 tessera assign "$card.0" --to vm --wait 0
run 0 tessera undo
on_host "$card"
