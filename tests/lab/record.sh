#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the real kernel shows is what its recording shows, and what names the host is not in it.
# In the lab: in-lab twin-cards record.sh
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/inside.sh"
work=$(mktemp -d)
chmod 755 "$work"

# answers HOST: all that can be asked of it, without the two keys that tell where it comes from, and the
# memory that is free, which changes
answers() {
  for verb in "--json list" "--json doctor" "--json show $card.0" "doctor" "show $twin.0"; do
    # shellcheck disable=SC2086  # the words are meant to be split
    tessera --root "$1" $verb 2>&1 | grep -vE '^  "(source|live)": |"free_kib": ' || true
  done
}

run 0 tessera record --keep-ids "$work/host.tsv"
answers / >"$work/live"
answers "$work/host.tsv" >"$work/recorded"
diff "$work/live" "$work/recorded" || failed "the recording answers something else than the host"
grep -q "$card" "$work/live" || failed "the host shows no card: nothing was compared"

run 17 tessera record "$work/host.tsv"
says "--force"
grep -q "tessera.host=$(hostname)" "$work/host.tsv" || failed "the command line has no host's name"
run 0 tessera record --force "$work/host.tsv"
grep -q "tessera.host=host" "$work/host.tsv" || failed "the host's name has no placeholder"
! grep "$(hostname)" "$work/host.tsv" || failed "the host's name is in the recording"

say "--- with a process that has the card open"
coproc USER { exec 9<"/dev/dri/$(basename "$devices/$card.0"/drm/card*)"; exec sed -u ''; }
echo "are you there" >&"${USER[1]}"
read -r _ <&"${USER[0]}"
run 0 tessera record --force "$work/host.tsv"
run 0 tessera --root "$work/host.tsv" show "$card.0"
says "sed"
eval "exec ${USER[1]}>&-"
