# shellcheck shell=bash
# shellcheck disable=SC2034  # the scripts that read this one use its names
# SPDX-License-Identifier: Apache-2.0
# What the scripts that run inside a lab host share. `tessera` is on the PATH (lib.sh put it there).
set -euo pipefail
devices=/sys/bus/pci/devices
card=0000:01:00
twin=0000:02:00
export NO_COLOR=1

say() { printf '%s\n' "$*"; }
failed() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}
driver() { basename "$(readlink "$devices/$1/driver" || echo none)"; }
now_ms() { local now=$EPOCHREALTIME; echo "$((${now/[.,]/} / 1000))"; }

# run EXIT_CODE COMMAND...: shows the command and what it says, which is kept in $output.
run() {
  local wanted=$1 got=0
  shift
  output=$("$@" 2>&1 </dev/null) || got=$?
  say "# $*"
  printf '%s\n' "$output" | sed 's/^/    /'
  [ "$got" = "$wanted" ] || failed "exit code $got, not $wanted: $*"
}
says() { [[ $output == *"$1"* ]] || failed "it does not say '$1'"; }
is() { [ "$2" = "$3" ] || failed "$1 is '$2', not '$3'"; }

# function_is FUNCTION DRIVER OVERRIDE. Without a process: a start costs 50 ms here.
function_is() {
  local override
  [ "$devices/$1/driver" -ef "/sys/bus/pci/drivers/$2" ] || failed "$1 is on $(driver "$1"), not on $2"
  read -r override <"$devices/$1/driver_override"
  is "the override of $1" "$override" "$3"
}
on_host() { function_is "$1.0" bochs-drm '(null)' && function_is "$1.1" snd_hda_intel '(null)'; }
on_vm() { function_is "$1.0" vfio-pci vfio-pci && function_is "$1.1" vfio-pci vfio-pci; }
