#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# packaging/install.sh [PREFIX]: installs the release build with what belongs to it. PREFIX is
# /usr/local without an argument; DESTDIR goes in front of it, for packages.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
prefix=${1:-/usr/local}
target=${DESTDIR:-}$prefix
[ -x build/tessera ] || { echo "install: run ./dev build first" >&2; exit 1; }

install -D -m 755 build/tessera "$target/bin/tessera"
cmake --install build --prefix "$prefix" >/dev/null
build/tessera generate man "$target/share/man/man1"
build/tessera generate bash "$target/share/bash-completion/completions"
build/tessera generate zsh "$target/share/zsh/site-functions"
build/tessera generate fish "$target/share/fish/vendor_completions.d"
mkdir -p "$target/lib/systemd/system"
sed "s|@PREFIX@|$prefix|" packaging/tessera-restore.service >"$target/lib/systemd/system/tessera-restore.service"
install -D -m 644 -t "$target/share/doc/tessera" LICENSE CHANGELOG.md
echo "installed below $target"
