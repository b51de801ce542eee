#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The completion script is good fish.
set -euo pipefail
command -v fish >/dev/null || { echo "fish is not installed"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" generate fish "$folder"
fish -n "$folder/tessera.fish"
offered=$(HOME=$folder fish -c "source $folder/tessera.fish; complete -C 'tessera as'")
[[ $offered == assign$'\t'* ]] || { echo "FAILED: 'tessera as' gives '$offered'"; exit 1; }
