#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Mediated devices that stand or are only defined, by whomever, are the same to Tessera, to mdevctl and,
# where this machine has it, to libvirt. In the lab: in-lab slices seen_alike.sh
# shellcheck source=tests/lab/mdevs.sh
. "$(dirname "$0")/mdevs.sh"
# shellcheck source=tests/lab/libvirtd.sh
. "$(dirname "$0")/libvirtd.sh"
gpu0=$card.0
gpu1=$twin.0
work=$(mktemp -d)
c8=$(type_named "$devices/$gpu0/mdev_supported_types" "LAB V100-8C")
c8=${c8##*/}
c4=$(type_named "$devices/$gpu1/mdev_supported_types" "LAB V100-4C")
c4=${c4##*/}

# from_json FILE QUERY: its rows, in order, a blank between columns; FILE is `document` in the query
from_json() { sqlite3 -batch -separator ' ' :memory: "WITH file(document) AS (SELECT readfile('$work/$1')) $2" | sort; }
quietly() { "$@" >"$work/log" 2>&1 </dev/null || failed "$*: $(<"$work/log")"; }

# --- what each of the three says: "UUID PARENT TYPE", and START where it is defined. Ours is asked for once
# for all that is compared with it, by look: the start of a program is what takes time here.
look() { tessera list slices --json >"$work/ours"; }
ours() {
  from_json ours "SELECT value ->> 'slice', value ->> 'parent', value ->> 'type'
    FROM file, json_each(document, '\$.slices')"
}
ours_defined() {
  from_json ours "SELECT value ->> 'slice', value ->> 'parent', value ->> 'type', value ->> 'start'
    FROM file, json_each(document, '\$.defined')"
}
mdevctls() { mdevctl list | sed '/^$/d' | cut -d' ' -f1-3 | sort; }
mdevctls_defined() { mdevctl list --defined | sed '/^$/d' | cut -d' ' -f1-4 | sort; }
mdevctls_dump() {
  mdevctl list --defined --dumpjson >"$work/dump"
  from_json dump "SELECT device.key, parent.key, device.value ->> 'mdev_type', device.value ->> 'start'
    FROM file, json_each(document) host, json_each(host.value) parent, json_each(parent.value) list,
    json_each(list.value) device"
}
# Its names say the UUID and the parent; which of the active ones have a definition it keeps to itself.
libvirts() { virsh -q nodedev-list --cap mdev "$@" | sed '/^$/d' | sort; }
ours_for_libvirt() { # active or inactive
  local slice parent of="json_each(document, '\$.slices')"
  [ "$1" = active ] || of="json_each(document, '\$.defined') WHERE NOT value ->> 'stands'"
  from_json ours "SELECT value ->> 'slice', value ->> 'parent' FROM file, $of" |
    while read -r slice parent; do node_device "$slice" "$parent"; done | sort
}

# alike WHEN STANDING DEFINED: all say the same, and so many of each
alike() {
  local all
  look
  all=$(ours)
  is "the number that stand $1" "$(grep -c . <<<"$all")" "$2"
  is "what mdevctl says stands $1" "$(mdevctls)" "$all"
  all=$(ours_defined)
  is "the number that are defined $1" "$(grep -c . <<<"$all")" "$3"
  is "what mdevctl says is defined $1" "$(mdevctls_defined)" "$all"
  is "its JSON $1" "$(mdevctls_dump)" "$all"
  if [ -n "$libvirt" ]; then
    comes_to "what libvirt says is active $1" "$(ours_for_libvirt active)"
    comes_to "what libvirt says is inactive $1" "$(ours_for_libvirt inactive)" --inactive
  fi
  say "$1: $2 stand, $3 are defined"
}
# comes_to WHAT NAMES [OPTION]: libvirt hears of changes a moment later
comes_to() {
  local tries
  for ((tries = 0; tries < 50; tries++)); do
    [ "$(libvirts "${@:3}")" != "$2" ] || return 0
    sleep 0.1
  done
  is "$1" "$(libvirts "${@:3}")" "$2"
}

defined_by_either() {
  local mine theirs further
  alike "on an empty host" 0 0
  quietly tessera slice "$gpu0" 1x8C
  mine=$(basename "$mdevs"/*)
  alike "after our slice" 1 0
  quietly tessera define "$mine"
  alike "after our define" 1 1
  run 0 tessera list slices
  quietly tessera unslice "$mine"
  alike "after our unslice" 0 1
  run 0 tessera list slices
  says "DEFINED ONLY"

  theirs=$(uuid)
  quietly mdevctl define -u "$theirs" -p "$gpu1" -t "$c4"
  alike "after mdevctl's define" 0 2
  quietly mdevctl start -u "$theirs"
  alike "after its start" 1 2
  quietly mdevctl modify -u "$theirs" --auto
  alike "after its modify" 1 2
  further=$(uuid)
  quietly mdevctl start -u "$further" -p "$gpu1" -t "$c4"
  alike "after its start of one that is not defined" 2 2
  quietly tessera define --start manual "$further"
  alike "after our define of that" 2 3
  quietly mdevctl start -u "$mine"
  alike "after its start of ours" 3 3

  quietly mdevctl undefine -u "$mine"
  alike "after its undefine of ours" 3 2
  quietly tessera undefine "$theirs"
  alike "after our undefine of its" 3 1
  quietly tessera unslice "$theirs"
  quietly mdevctl stop -u "$mine"
  alike "after each took away the other's" 1 1
  quietly tessera unslice "$further"
  quietly tessera undefine "$further"
  alike "at the end" 0 0
}

defined_by_libvirt() {
  local mine name
  mine=$(uuid)
  name=$(node_device "$mine" "$gpu0")
  # as libvirt's own documentation has it
  cat >"$work/device.xml" <<XML
<device>
  <parent>pci_${gpu0//[:.]/_}</parent>
  <capability type="mdev"><type id="$c8"/><uuid>$mine</uuid></capability>
</device>
XML
  quietly virsh nodedev-define "$work/device.xml"
  alike "after libvirt's define" 0 1
  is "its start" "$(ours_defined | cut -d' ' -f4)" manual
  quietly virsh nodedev-autostart "$name"
  alike "after its autostart" 0 1
  is "its start" "$(ours_defined | cut -d' ' -f4)" auto
  quietly virsh nodedev-start "$name"
  alike "after its start" 1 1
  virsh nodedev-dumpxml "$name" >"$work/dumped.xml"
  run 0 tessera define --nodedev-xml "$work/dumped.xml"
  says "Nothing to do."
  quietly virsh nodedev-destroy "$name"
  alike "after its destroy" 0 1
  quietly tessera restore
  alike "after our restore of it" 1 1
  quietly tessera unslice "$mine"
  quietly virsh nodedev-undefine "$name"
  alike "after its undefine" 0 0

  quietly virsh nodedev-create "$work/device.xml"
  alike "after its create" 1 0
  tessera list slices --nodedev-xml "$mine" >"$work/ours.xml"
  quietly tessera unslice "$mine"
  quietly virsh nodedev-define "$work/ours.xml"
  alike "after its define of our XML" 0 1
  quietly tessera undefine "$mine"
  alike "at the end" 0 0
}

libvirt=
if start_libvirtd; then
  libvirt=$(libvirtd --version)
else
  say "libvirt: left out, there is no $missing (packages libvirt-daemon, libvirt-clients)"
fi
say "--- tessera, mdevctl${libvirt:+, $libvirt}"
defined_by_either
[ -z "$libvirt" ] || defined_by_libvirt
