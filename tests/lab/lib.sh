# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts that run outside the lab share: boot HOST, inside COMMAND..., lower. Each boot gets
# a folder of its own, so a host of the same name that a person left running is not touched.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source_dir=$(readlink -f "$here/../..")
export TESSERA_BUILD_DIR=${TESSERA_BUILD_DIR:-$source_dir/build}
tessera=$TESSERA_BUILD_DIR/tessera
lab_host=
lab_log=

say() { printf '%s\n' "$*"; }
failed() { printf 'FAILED: %s\n' "$*"; exit 1; }
skip() { printf 'skipped: %s\n' "$*"; exit 77; }
now_ms() { local now=$EPOCHREALTIME; echo "$((${now/[.,]/} / 1000))"; }
seconds_since() { local ms=$(($(now_ms) - $1)); printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100)); }

XDG_RUNTIME_DIR=$(mktemp -d /tmp/tessera-lab-test.XXXXXX)
export XDG_RUNTIME_DIR

lower() {
  [ -z "$lab_host" ] || "$tessera" lab down "$lab_host" >/dev/null 2>&1 || true
  lab_host=
}
# shellcheck disable=SC2317,SC2329  # called by the trap
leave() {
  # What a host that answers no more was doing, for tests/lab/again.
  [ -z "${TESSERA_LAB_STUCK:-}" ] ||
    cat "$XDG_RUNTIME_DIR"/tessera-lab-*/*/stuck.txt >"$TESSERA_LAB_STUCK" 2>/dev/null || true
  lower
  rm -rf "$XDG_RUNTIME_DIR"
}
trap leave EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# boot HOST [SECONDS]: returns when it answers; it ends by itself after SECONDS. Skips the test where
# this machine cannot have the host (no QEMU, an old one, no kernel to be had).
boot() {
  local started status=0
  started=$(now_ms)
  if [ -z "$lab_log" ]; then
    bash "$source_dir/lab/setup/kernel.sh" >/dev/null || skip "no kernel for the lab can be had here"
  fi
  lab_log=$XDG_RUNTIME_DIR/$1.log
  "$tessera" lab up "$1" --deadline "${2:-300}" >"$lab_log" 2>&1 || status=$?
  # Some hosts need a newer QEMU than Debian 12 has.
  if [ "$status" = 15 ] && grep -q qemu11.sh "$lab_log" && bash "$source_dir/lab/setup/qemu11.sh" >/dev/null; then
    status=0
    "$tessera" lab up "$1" --deadline "${2:-300}" >"$lab_log" 2>&1 || status=$?
  fi
  case $status in
    0) lab_host=$1 ;;
    10 | 15) skip "$(grep -v '^lab: ' "$lab_log" | tr '\n' ' ')" ;;
    *) cat "$lab_log"; failed "the host $1 did not boot (exit code $status)" ;;
  esac
  say "$1 is up after $(seconds_since "$started")"
}

inside() {
  "$tessera" lab run "$lab_host" -- \
    env "TESSERA_BUILD_DIR=$TESSERA_BUILD_DIR" "PATH=$TESSERA_BUILD_DIR:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
}

# No test may leave the kernel complaining.
kernel_is_content() {
  local complaints
  complaints=$(inside dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|blocked for more than' || true)
  [ -z "$complaints" ] || failed "the kernel complains: $complaints"
}
