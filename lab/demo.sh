#!/usr/bin/env bash
# The main job, for real: boots a virtual GPU host, and in it inspects the cards, gives one of them to
# a guest and takes a picture of what the guest drew on it; cuts the other in four, one slice each for
# four guests that run side by side, and takes a picture of all their screens; takes everything back.
# Every command inside is the shipped program. Needs a build (./dev build); ./dev demo does both.
#   lab/demo.sh [PICTURE.png [CONTACT-SHEET.png]]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${TESSERA_BUILD_DIR:-$PWD/build}
tessera=$build/tessera
host=demo
card=01:00.0
cut=02:00.0
picture=${1:-$build/demo.png}
sheet=${2:-$build/demo-slices.png}
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

say "Booting the lab: a real kernel with an IOMMU, a boot display and two cards"
bash lab/setup/kernel.sh
"$tessera" lab up "$host"

say "Which cards does this host have?"
inside "$tessera" list

say "Can the first be given away?"
inside "$tessera" doctor "$card" || true # warnings are no failure here

say "Give it to the machines: both functions, and nothing of the other card"
inside "$tessera" assign "$card" --to vm
inside "$tessera" list

say "Start a guest that owns the card, and let it draw"
inside "$tessera" run --name whole --card "$card" --kernel "$build/lab-guest.elf" \
  --append "whole: a card of its own" --until "GUEST READY" --detach

say "The picture, taken from the card's own output"
"$tessera" lab picture "$host" gpu0 "$picture"

say "What can the second card be cut into? Cut it in four"
inside "$tessera" profiles "$cut"
inside "$tessera" slice "$cut" 4x4Q
inside "$tessera" list slices

say "Four more guests, a slice each"
shots=$("$tessera" lab run "$host" -- mktemp -d)
number=0
pictures=("$picture")
for slice in $("$tessera" lab run "$host" -- ls /sys/bus/mdev/devices); do
  number=$((number + 1))
  name=guest$number
  inside "$tessera" claim "$slice" --owner "$name"
  inside "$tessera" run --name "$name" --slice "$slice" --kernel "$build/lab-guest.elf" \
    --append "$name: slice $number of four" --until "GUEST READY" --detach
done

say "Who has what, while all five run"
inside "$tessera" list slices
for ((i = 1; i <= number; i++)); do
  inside "$tessera" run --name "guest$i" --screen "$shots/guest$i.png"
  "$tessera" lab run "$host" -- cat "$shots/guest$i.png" >"$build/demo-guest$i.png"
  pictures+=("$build/demo-guest$i.png")
done
"$build/tessera-contact-sheet" "$sheet" 3 "${pictures[@]}"

say "Stop the guests, take the changes back"
for ((i = 1; i <= number; i++)); do
  inside "$tessera" run --stop "guest$i"
  inside "$tessera" disown --owner "guest$i"
done
inside "$tessera" unslice --card "$cut"
inside "$tessera" run --stop whole
inside "$tessera" assign "$card" --to host
inside "$tessera" list
inside "$tessera" history

driver=$("$tessera" lab run "$host" -- readlink "/sys/bus/pci/devices/0000:$card/driver")
left=$("$tessera" lab run "$host" -- ls /sys/bus/mdev/devices | wc -l)
say "Done. The card is back on ${driver##*/}, $left slices are left."
say "What the guest on the whole card drew: $picture; all five: $sheet"
[ "${driver##*/}" = bochs-drm ] && [ "$left" = 0 ] && [ "$number" = 4 ]
