# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of our own checks: a small repository to plant mistakes in.
set -euo pipefail
repository=$PWD
house=$(mktemp -d)
trap 'rm -rf "$house"' EXIT
failed=0

# plant FILE: writes standard input to that file of the house.
plant() { mkdir -p "$house/$(dirname "$1")" && cat >"$house/$1"; }

# expect_clean CHECK: the check finds nothing.
expect_clean() {
  if ! out=$("$repository/scripts/$1" "$house" 2>&1); then
    echo "FAILED: $1 complains about a clean house:"$'\n'"$out"
    failed=1
  fi
}

# expect_complaint CHECK WORDS: it fails and says WORDS; the planted file is then taken away.
expect_complaint() {
  if out=$("$repository/scripts/$1" "$house" 2>&1); then
    echo "FAILED: $1 did not see: $2"
    failed=1
  elif ! grep -qF -- "$2" <<<"$out"; then
    echo "FAILED: $1 failed without saying '$2':"$'\n'"$out"
    failed=1
  else
    echo "ok: $2"
  fi
}
