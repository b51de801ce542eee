#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside a host: guests come and go while its processors are busy, and it does not freeze
# (docs/designs/lab-one-processor.md; it froze within the first 50).
# shellcheck source=tests/lab/inside.sh
. "$(dirname "$(readlink -f "$0")")/inside.sh"
[ -w /dev/kvm ] || { say "skipped: this host has no KVM"; exit 77; }
(while :; do echo busy; done | cat >/dev/null) &
yes >/dev/null &
trap 'kill $(jobs -p) 2>/dev/null' EXIT
"$TESSERA_BUILD_DIR/make_machines" 400
