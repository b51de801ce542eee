#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The completion script is good zsh.
set -euo pipefail
command -v zsh >/dev/null || { echo "zsh is not installed"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" generate zsh "$folder"
zsh -n "$folder/_tessera"
