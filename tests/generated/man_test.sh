#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each visible verb has a manual page that man(1) renders without a warning.
set -euo pipefail
tessera=$1
command -v man >/dev/null || { echo "man is not installed"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$tessera" generate man "$folder"

verbs=$("$tessera" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]\+\) .*/\1/p')
[ "$(wc -l <<<"$verbs")" -ge 10 ] || { echo "FAILED: only these verbs in --help: $verbs"; exit 1; }
failed=0
for page in tessera $(sed 's/^/tessera-/' <<<"$verbs"); do
  file=$folder/$page.1
  [ -f "$file" ] || { echo "FAILED: there is no $page.1"; failed=1; continue; }
  # Warnings only: the rendered text goes nowhere.
  warnings=$(MANWIDTH=100 LC_ALL=C.UTF-8 man -l --warnings "$file" 2>&1 >/dev/null)
  [ -z "$warnings" ] || { echo "FAILED: $page.1: $warnings"; failed=1; }
  MANWIDTH=100 LC_ALL=C.UTF-8 man -l "$file" 2>/dev/null >"$folder/text"
  for heading in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' 'SEE ALSO'; do
    grep -q "^$heading" "$folder/text" || { echo "FAILED: $page.1 has no $heading"; failed=1; }
  done
done
exit $failed
