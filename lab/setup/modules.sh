#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Adds kernel modules to a kernel folder of kernel.sh and prints the folder that has them (a folder like
# it, mostly links). Three kinds: ours (lab/module/NAME.c), the kernel's sample drivers that make mediated
# devices (mtty, mdpy, mbochs; Debian's source package, never part of this project), and those that the
# kernel comes with, which need nothing. Built with Debian's headers for that kernel; nothing is installed
# and no privilege is needed. Quiet and instant when the cache has them.
#   usage: modules.sh KERNEL_FOLDER MODULE...
# exit status: 0 there, 77 this machine cannot have them (it says why), 1 something broke
set -eu
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
kernel=$1
shift
here=$(dirname "$(readlink -f "$0")")
cache=${TESSERA_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tessera/lab}
release=$(cat "$kernel/release")
version=$(echo "$release" | sed -n 's/^\([0-9]*\.[0-9]*\).*/\1/p')
samples_there_are="mtty mdpy mbochs"
days_unused=30
say() { echo "modules.sh: $*" >&2; }
cannot() { say "$*"; exit 77; }
. "$here/packages.sh"

is_one_of() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac; }

# Sorts the wanted ones into $ours and $samples.
sort_out() {
  ours=
  samples=
  for name in "$@"; do
    if [ -r "$here/../module/$name.c" ]; then ours="$ours $name"
    elif modprobe -d "$kernel" -S "$release" --show-depends "$name" >/dev/null 2>&1; then continue
    elif is_one_of "$name" "$samples_there_are"; then samples="$samples $name"
    else say "there is no module $name: not in lab/module, not in Linux $release, no sample of its source"; exit 1
    fi
  done
}

# Sets $headers to the folder that the kernel's own make wants: this machine's, or unpacked in the cache.
find_headers() {
  headers=/lib/modules/$release/build
  [ ! -r "$headers/Makefile" ] || return 0
  headers=$cache/headers/$release/usr/src/linux-headers-$release
  [ ! -r "$headers/Makefile" ] || return 0
  offered "linux-headers-$release" || read_lists
  offered "linux-headers-$release" ||
    cannot "the package sources have no linux-headers-$release any more; remove $kernel to get a newer kernel"
  parts=$(packages_below "linux-headers-$release" 'linux-headers-.*-common.*\|linux-kbuild-.*')
  unpack_packages "$work/headers" "linux-headers-$release" $parts ||
    cannot "the headers of Linux $release could not be downloaded"
  # It names its other half by its place in an installed system.
  sed -i "s#/usr/src/#$cache/headers/$release/usr/src/#" "$work/headers/usr/src/linux-headers-$release/Makefile"
  mkdir -p "$cache/headers"
  rm -rf "$cache/headers/${release:?}"
  mv -T "$work/headers" "$cache/headers/$release"
}

# Sets $source to the folder with the samples' sources.
find_samples() {
  source=$cache/samples/$version
  [ ! -r "$source/mtty.c" ] || return 0
  offered "linux-source-$version" || read_lists
  offered "linux-source-$version" || cannot "the package sources have no linux-source-$version with the samples in it"
  download_packages "$work/source" "linux-source-$version" || cannot "linux-source-$version could not be downloaded"
  mkdir -p "$work/samples" "$cache/samples"
  dpkg-deb --fsys-tarfile "$work"/source/*.deb | tar -xO --wildcards '*/linux-source-*.tar.xz' |
    tar -xJ -C "$work/samples" --strip-components=3 --wildcards '*/samples/vfio-mdev/*'
  [ -r "$work/samples/mtty.c" ] || cannot "linux-source-$version has no samples/vfio-mdev"
  rm -rf "${source:?}"
  mv -T "$work/samples" "$source"
}

build() {
  mkdir "$work/build"
  for name in $ours; do cp "$here/../module/$name.c" "$work/build/"; done
  if [ -n "$samples" ]; then cp "$source"/*.[ch] "$work/build/"; fi
  for name in $ours $samples; do echo "obj-m += $name.o"; done >"$work/build/Makefile"
  say "building$ours$samples for Linux $release"
  # The compiler that built the kernel, as its headers name it.
  compiler=$(sed -n 's/.*\(gcc-[0-9][0-9]*\).*/\1/p' "$headers/.kernelvariables" 2>/dev/null | head -n 1)
  command -v make >/dev/null || cannot "there is no make on this machine"
  command -v "${compiler:-gcc}" >/dev/null || cannot "the compiler of Linux $release, ${compiler:-gcc}, is not on this machine"
  make -C "$headers" M="$work/build" modules >"$work/log" 2>&1 || {
    tail -n 30 "$work/log" >&2
    say "the modules could not be built"
    exit 1
  }
}

# The kernel's own tree by links, ours beside it, and an index over both.
publish() {
  modules=$work/new/lib/modules/$release
  mkdir -p "$modules/updates"
  ln -s "$kernel/vmlinuz" "$work/new/vmlinuz"
  echo "$release" >"$work/new/release"
  ln -s "$kernel/lib/modules/$release/kernel" "$modules/kernel"
  cp "$kernel/lib/modules/$release"/modules.builtin* "$kernel/lib/modules/$release/modules.order" "$modules/"
  rm -f "$modules"/*.bin
  for name in $ours $samples; do
    strip --strip-debug -o "$modules/updates/$name.ko" "$work/build/$name.ko"
  done
  depmod -b "$work/new" "$release"
  grep -q '^kernel/' "$modules/modules.dep" || { say "depmod did not find the kernel's own modules"; exit 1; }
  rm -rf "${target:?}"
  mv -T "$work/new" "$target"
  find "$cache/modules" -mindepth 1 -maxdepth 1 -mtime "+$days_unused" -exec rm -rf {} +
}

sort_out "$@"
if [ -z "$ours$samples" ]; then echo "$kernel"; exit; fi
hash=$({
  cat "$0" "$kernel/lib/modules/$release/modules.dep"
  for name in $ours; do cat "$here/../module/$name.c"; done
  echo "$ours$samples"
} | sha256sum | cut -c1-16)
target=$cache/modules/$release-$hash
if [ -r "$target/lib/modules/$release/modules.dep" ]; then
  touch "$target" 2>/dev/null || true
  echo "$target"
  exit
fi

mkdir -p "$cache/modules"
work=$(mktemp -d "$cache/modules/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
find_headers
[ -z "$samples" ] || find_samples
build
publish
echo "$target"
