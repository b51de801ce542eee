#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A card falls off the bus, and one fails its reset, and Tessera stays truthful. Not in ctest yet.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
bash "$source_dir/lab/setup/qemu11.sh" >/dev/null || skip "QEMU 11.1 cannot be had here"
boot twin-rtx 300

twin=0000:02:00
show() { say "# $*"; seen=$(inside "$@" 2>&1 </dev/null) || true; sed 's/^/    /' <<<"$seen"; }
knob() { "$TESSERA_BUILD_DIR/turn_knob" "$(echo "$XDG_RUNTIME_DIR"/*/twin-rtx/gpu1.0.control)" "$@"; }
say "--- the second card falls off the bus"
knob config_read=ffffffff
show tessera list
grep -q "$twin.0" <<<"$seen" || failed "list lost the card"
show tessera doctor "$twin.0"
knob config_read=ok

say "--- its reset fails"
knob reset=fail
show tessera doctor "$twin.0"
knob reset=ok status
kernel_is_content
