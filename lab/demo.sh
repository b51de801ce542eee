#!/usr/bin/env bash
# The main job, for real: boots a virtual GPU host, and in it inspects the cards, gives one of two
# identical cards to a guest, takes a picture of what the guest drew on it, and gives it back.
# Every command inside is the shipped program. Needs a build (./dev build); ./dev demo does both.
#   lab/demo.sh [PICTURE.png]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${TESSERA_BUILD_DIR:-$PWD/build}
tessera=$build/tessera
host=twin-cards
card=01:00.0
picture=${1:-$build/demo.png}
started=$(date +%s%N)

say() { printf '\n\033[1m[%5.1f s] %s\033[0m\n' "$(($(date +%s%N) - started))e-9" "$*"; }

# inside COMMAND...: runs it in the lab and shows it as a person would have typed it.
inside() {
  printf '\n  lab# %s\n' "${*//"$build/"/}"
  "$tessera" lab run "$host" -- "$@" 2>&1 | sed 's/^/  /'
}

lower() { "$tessera" lab down "$host" >/dev/null 2>&1 || true; }
trap lower EXIT
lower

say "Booting the lab: a real kernel with an IOMMU, a boot display and two identical cards"
bash lab/setup/kernel.sh
"$tessera" lab up "$host"

say "Which cards does this host have?"
inside "$tessera" list

say "Can the first of the twins be given away?"
inside "$tessera" doctor "$card" || true # warnings are no failure here

say "Give it to the machines: both functions, and nothing of its twin"
inside "$tessera" assign "$card" --to vm
inside "$tessera" list

say "Start a guest that owns the card, and let it draw"
inside "$tessera" run --name demo --card "$card" --kernel "$build/lab-guest.elf" \
  --until "GUEST READY" --detach

say "The picture, taken from the card's own output"
"$tessera" lab picture "$host" gpu0 "$picture"

say "Stop the guest, take the change back"
inside "$tessera" run --stop demo
inside "$tessera" undo
inside "$tessera" list
inside "$tessera" history

driver=$("$tessera" lab run "$host" -- readlink "/sys/bus/pci/devices/0000:$card/driver")
say "Done. The card is back on ${driver##*/}. What the guest drew: $picture"
[ "${driver##*/}" = bochs-drm ]
