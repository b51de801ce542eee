#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts a Debian kernel into the lab's cache and prints its directory, which holds
#   vmlinuz               the kernel
#   release               its release, e.g. 6.1.0-18-amd64
#   lib/modules/RELEASE   its modules, depmod done
# Nothing is installed and no privilege is needed: a kernel in /boot is linked, otherwise the package
# that linux-image-amd64 depends on is downloaded from the system's own sources and unpacked.
# Quiet and instant when the cache has one. usage: kernel.sh [RELEASE]
set -eu
PATH=$PATH:/usr/sbin:/sbin
cache=${TESSERA_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tessera/lab}/kernel
wanted=${1:-}
say() { echo "kernel.sh: $*" >&2; }
. "$(dirname "$(readlink -f "$0")")/packages.sh"

complete() { [ -r "$1/vmlinuz" ] && [ -r "$1/release" ] && [ -r "$1/lib/modules/$(cat "$1/release")/modules.dep" ]; }

cached() {
  for directory in "$cache"/${wanted:-*}; do
    complete "$directory" && echo "$directory"
  done | sort -V | tail -n 1
}

# A kernel of this machine, when it has what the lab's initrd needs.
installed() {
  for image in /boot/vmlinuz-${wanted:-*}; do
    release=${image#/boot/vmlinuz-}
    [ -r "$image" ] && [ -r "/lib/modules/$release/modules.dep" ] || continue
    modprobe -S "$release" --show-depends 9pnet_virtio >/dev/null 2>&1 || continue
    modprobe -S "$release" --show-depends virtio_console >/dev/null 2>&1 || continue
    echo "$release"
  done | sort -V | tail -n 1
}

# Fills "$work/new" for RELEASE and moves it to its place in one step.
publish() {
  echo "$1" >"$work/new/release"
  complete "$work/new" || { say "the kernel $1 is not complete"; exit 1; }
  rm -rf "${cache:?}/$1"
  mv -T "$work/new" "$cache/$1"
  echo "$cache/$1"
}

link_installed() {
  mkdir -p "$work/new/lib/modules"
  ln -s "/boot/vmlinuz-$1" "$work/new/vmlinuz"
  ln -s "/lib/modules/$1" "$work/new/lib/modules/$1"
  publish "$1"
}

package_name() {
  if [ -n "$wanted" ]; then echo "linux-image-$wanted"; return; fi
  packages_below linux-image-amd64 'linux-image-[0-9].*' | head -n 1
}

download() {
  package=$(package_name)
  if [ -z "$package" ] || ! offered "$package"; then
    read_lists
    package=$(package_name)
  fi
  [ -n "$package" ] || { say "the system's package sources have no linux-image-amd64"; exit 1; }
  unpack_packages "$work/tree" "$package"
  release=${package#linux-image-}
  release=${release%-unsigned}
  mkdir -p "$work/new/lib"
  if [ -d "$work/tree/usr/lib/modules" ]; then mv "$work/tree/usr/lib/modules" "$work/new/lib/"
  else mv "$work/tree/lib/modules" "$work/new/lib/"; fi
  cp "$work/tree/boot/vmlinuz-$release" "$work/new/vmlinuz"
  chmod a+r "$work/new/vmlinuz"
  depmod -b "$work/new" "$release"
  publish "$release"
}

found=$(cached)
if [ -n "$found" ]; then echo "$found"; exit; fi
mkdir -p "$cache"
work=$(mktemp -d "$cache/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
found=$(installed)
if [ -n "$found" ]; then link_installed "$found"; else download; fi
