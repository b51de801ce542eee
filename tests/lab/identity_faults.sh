#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A card does not come back from its reset, and the doctor says so. The kernel waits minutes for it, so that
# ctest leaves this one out: it is run by hand.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
bash "$source_dir/lab/setup/qemu11.sh" >/dev/null || skip "QEMU 11.1 cannot be had here"
boot datacenter 400

v100=0000:01:00.0
show() { say "# $*"; seen=$(inside "$@" 2>&1 </dev/null) || true; sed 's/^/    /' <<<"$seen"; }
says() { grep -qF -- "$1" <<<"$seen" || failed "it does not say '$1'"; }

show tessera assign "$v100" --to vm
says "Done, as plan 1"
show tessera doctor "$v100"
! grep -qF "[reset-failed]" <<<"$seen" || failed "a reset failed before there was any"
"$TESSERA_BUILD_DIR/turn_knob" "$(echo "$XDG_RUNTIME_DIR"/*/datacenter/v100.0.control)" reset=fail
show sh -c "echo 1 >/sys/bus/pci/devices/$v100/reset"
says "error" # what the last method of all answered: EIO, or ENOTTY
show tessera doctor "$v100"
says "[reset-failed]"
says "$v100 did not come back from a reset"
says "; giving up"
kernel_is_content
