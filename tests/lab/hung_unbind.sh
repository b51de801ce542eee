#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kernel does not let vfio-pci go while somebody has the device open, and an unbind waits for
# that for ever. Tessera must give up in time, say so, hold no lock, and leave the card bound when the
# kernel answers at last. In the lab: in-lab twin-cards hung_unbind.sh
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/inside.sh"

run 0 tessera assign "$card.0" --to vm
group=$(basename "$(readlink "$devices/$card.0/iommu_group")")
coproc USER { exec "$TESSERA_BUILD_DIR/vfio_holder" "$group" "$card.0" 2>&1; }
pid=$USER_PID
read -r said <&"${USER[0]}"
is "what the holder says" "$said" holding

say "--- the card goes back while a process that nobody can name has it open"
started=$(now_ms)
run 14 tessera assign "$card.0" --to host
took=$(($(now_ms) - started))
[ "$took" -lt 120000 ] || failed "it took $took ms to give up"
says "$card.0"

say "--- the lock is free"
run 0 tessera list
run 0 tessera assign "$twin.0" --to vm --dry-run
run 0 tessera history

say "--- the process ends: the kernel answers, late, and the card stays what it was"
eval "exec ${USER[1]}>&-" # the end of its input
wait "$pid" || true
for writer in $(pgrep -x tessera-write); do tail --pid="$writer" -f /dev/null; done
run 0 tessera recover
on_vm "$card"
on_host "$twin"

run 0 tessera assign "$card.0" --to host
on_host "$card"
