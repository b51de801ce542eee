#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each finding that this host can show is provoked for real, found, and goes away when its printed
# command is carried out word for word. In the lab: in-lab wrong-settings findings.sh
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$0")/inside.sh"
work=$(mktemp -d)
mkdir -p "$work/bin" /etc/default /etc/modprobe.d
# Findings say "sudo"; we are root. Nothing boots from this GRUB.
printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
printf '#!/bin/sh\n' >"$work/bin/update-grub"
chmod +x "$work"/bin/*
PATH=$work/bin:$PATH

doctor() { report=$(tessera doctor "$@" 2>&1) || true; }
# fires ID: the finding is there, and its command (if it prints one) is in $printed
fires() {
  local id=$1
  doctor "${@:2}"
  grep -qF "[$id]" <<<"$report" || { printf '%s\n' "$report"; failed "$id does not fire"; }
  printed=$(awk -v id="[$id]" 'index($0, id) { on = 1 } on && /^    run    / { sub(/^ *run +/, ""); print; exit }
    on && NF == 0 { exit }' <<<"$report")
}
gone() {
  local id=$1
  doctor "${@:2}"
  ! grep -qF "[$id]" <<<"$report" || { printf '%s\n' "$report"; failed "$id is still there"; }
  say "ok      $id"
}
# as_printed: runs what the finding printed
as_printed() {
  [ -n "$printed" ] || failed "it prints no command"
  say "# $printed"
  bash -c "$printed" >"$work/said" 2>&1 </dev/null || { cat "$work/said"; failed "the printed command failed"; }
}

say "--- what the kernel was started with"
cat >/etc/default/grub <<'TEXT'
GRUB_TIMEOUT=5
GRUB_CMDLINE_LINUX_DEFAULT="quiet iommu=pt amd_iommu=on pcie_acs_override=downstream,multifunction"
TEXT
for id in iommu-pt amd-iommu-on unknown-kernel-parameter; do
  fires "$id"
  as_printed
done
is "GRUB's arguments after the printed commands" \
  "$(sed -n 's/^GRUB_CMDLINE_LINUX_DEFAULT=//p' /etc/default/grub | tr -s ' ')" '"quiet "'
say "ok      iommu-pt, amd-iommu-on, unknown-kernel-parameter: out of GRUB's file for the next boot"

echo 'GRUB_CMDLINE_LINUX="intel_iommu=on"' >>/etc/default/grub
fires argument-not-in-effect
is "its command" "$printed" "sudo update-grub"
rm /etc/default/grub
gone argument-not-in-effect

say "--- huge pages"
echo 0 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
fires huge-pages-short
[[ $report == *"64 huge pages of 2 MiB were asked for, 0 are there"* ]] || failed "no word of the 2 MiB pages"
[[ $report == *"8 huge pages of 1 GiB were asked for"* ]] || failed "no word of the 1 GiB pages"
printed=$(grep -o 'echo 64 | sudo tee .*2048kB/nr_hugepages; cat .*' <<<"$report")
as_printed
doctor
[[ $report != *"huge pages of 2 MiB were asked for"* ]] || failed "the 2 MiB pages are still missed"
say "ok      huge-pages-short"

say "--- ids with a blank, and ids that take every twin"
echo 'options vfio-pci ids=8086:10d3, 8086:293e' >/etc/modprobe.d/vfio.conf
modprobe vfio-pci
fires ids-with-blank
[[ $report == *"unknown parameter '8086:293e' ignored"* ]] || failed "the kernel's own words are not joined"
as_printed
is "the line as the finding wrote it" "$(cat /etc/modprobe.d/vfio.conf)" \
  "options vfio-pci ids=8086:10d3,8086:293e"
gone ids-with-blank
fires ids-fit-nothing # there is no 8086:10d3 here

echo 'options vfio-pci ids=1234:1111' >/etc/modprobe.d/vfio.conf
fires ids-take-twins
as_printed
is "the driver of the card that the command names" "$(driver "$twin.0")" vfio-pci
is "the driver of its twin" "$(driver "$card.0")" bochs-drm
rm /etc/modprobe.d/vfio.conf # "Take 1234:1111 out of the option"
gone ids-take-twins
run 0 tessera undo

say "--- blacklisted, and bound all the same"
echo 'blacklist bochs' >/etc/modprobe.d/blacklist.conf
fires blacklist-without-effect
rm /etc/modprobe.d/blacklist.conf
gone blacklist-without-effect

say "--- a module that this kernel does not have"
printf 'loop\nvfio_virqfd_of_old\n' >/etc/modules
fires unknown-module
as_printed
is "what is left of the list" "$(cat /etc/modules)" loop
gone unknown-module

say "--- a card in use"
file=/dev/dri/$(basename "$devices/$card.0"/drm/card*)
tail -f /dev/null 9<"$file" &
holder=$!
fires card-held "$card.0"
[[ $report == *"tail (pid $holder)"* ]] || failed "the holder is not named"
as_printed
wait "$holder" 2>/dev/null || true
gone card-held "$card.0"
is "the driver of the card that the command gave away" "$(driver "$card.0")" vfio-pci
run 0 tessera undo

say "--- the boot display"
screen=0000:00:02.0
fires boot-framebuffer "$screen"
# No BOOTFB here: the display's own driver took over. The finding is a fact of this host, with no fix.
say "ok      boot-framebuffer: found"

say "--- memory that a user may lock"
as_user() {
  report=$(bash -c "ulimit -l $1; exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all \
    $work/tessera doctor" 2>&1) || true
}
chmod 755 "$work"
cp "$(command -v tessera)" "$work/tessera"
chmod 755 "$work/tessera"
as_user 8192
grep -qF '[memlock-low]' <<<"$report" || { printf '%s\n' "$report"; failed "memlock-low does not fire"; }
as_user unlimited
! grep -qF '[memlock-low]' <<<"$report" || failed "memlock-low is still there"
say "ok      memlock-low"
