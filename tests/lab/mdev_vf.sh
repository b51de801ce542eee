#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Mediated devices on virtual functions: the card is no parent, each of its functions is one, for one
# device, and what they share is the card's. In the lab: in-lab slices-vf mdev_vf.sh
# shellcheck source=tests/lab/mdevs.sh
. "$(dirname "$0")/mdevs.sh"
card=$devices/0000:01:00.0
types() { echo "$devices/0000:01:00.$1/mdev_supported_types"; }
is "functions it can make" "$(<"$card/sriov_totalvfs")" 4
is "the parents before there are any" "$(parents)" ""
is "making them" "$(answer "$card/sriov_numvfs" 4)" ok
is "the parents" "$(parents)" "0000:01:00.1 0000:01:00.2 0000:01:00.3 0000:01:00.4"
is "their driver" "$(driver 0000:01:00.3)" tessera_lab
[ ! -e "$card/mdev_supported_types" ] || failed "the card is a parent"

c8=$(type_named "$(types 1)" "LAB V100-8C")
c8=${c8##*/}
says_of() { # FUNCTION: the availability of 4C and 8C there
  local four
  four=$(type_named "$(types "$1")" "LAB V100-4C")
  echo "$(<"$four/available_instances") $(<"$(types "$1")/$c8/available_instances")"
}
is "an empty function has room for" "$(says_of 2)" "1 1"
first=$(uuid)
is "one on the second function" "$(answer "$(types 2)/$c8/create" "$first")" ok
is "its function" "$(says_of 2)" "0 0"
is "another function: the same size only" "$(says_of 3)" "0 1"
is "a second one on that function" "$(answer "$(types 2)/$c8/create" "$(uuid)")" "$full"
is "one on the fourth function" "$(answer "$(types 4)/$c8/create" "$(uuid)")" ok
is "the card is full, on every function" "$(says_of 1) $(says_of 3)" "0 0 0 0"
is "one too many" "$(answer "$(types 1)/$c8/create" "$(uuid)")" "$full"
is "mdevctl lists" "$(mdevctl list | grep -c ' 0000:01:00.[24] tessera_lab-')" 2
is "another number of functions" "$(answer "$card/sriov_numvfs" 2)" "Device or resource busy"
is "no functions at all" "$(answer "$card/sriov_numvfs" 0)" ok
is "devices left with their functions gone" "$(find "$mdevs/" -mindepth 1)" ""
is "making functions again" "$(answer "$card/sriov_numvfs" 4)" ok
is "an empty function has room for" "$(says_of 2)" "1 1"
