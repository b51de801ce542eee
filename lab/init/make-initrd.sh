#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the lab's initrd for a kernel directory of kernel.sh and prints its path: busybox, the modules
# that reach the machine outside over 9p, and init. Kept in the cache by the kernel's release and a
# hash of everything that goes in. usage: make-initrd.sh KERNEL_DIRECTORY
set -eu
PATH=$PATH:/usr/sbin:/sbin
kernel=$1
here=$(dirname "$(readlink -f "$0")")
release=$(cat "$kernel/release")
cache=${TESSERA_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tessera/lab}/initrd

hash=$(cat "$0" "$here/init" /bin/busybox "$kernel/lib/modules/$release/modules.dep" | sha256sum | cut -c1-16)
target=$cache/$release-$hash.gz
if [ -r "$target" ]; then echo "$target"; exit; fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
tree=$work/tree
modules=$tree/lib/modules/$release
mkdir -p "$tree/bin" "$tree/sbin" "$tree/proc" "$tree/sys" "$tree/dev" "$modules"
chmod 755 "$tree"
cp /bin/busybox "$tree/bin/"
for applet in $(/bin/busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"; done
cp "$here/init" "$tree/init"
chmod 755 "$tree/init"

for module in virtio_pci 9pnet_virtio 9p overlay virtio_console; do
  modprobe -d "$kernel" -S "$release" --show-depends "$module"
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
  case $file in
    *.xz) xz -dc "$file" >"$modules/$(basename "$file" .xz)" ;;
    *.zst) zstd -qdc "$file" >"$modules/$(basename "$file" .zst)" ;;
    *) cp "$file" "$modules/" ;;
  esac
done
cp "$kernel/lib/modules/$release"/modules.builtin* "$kernel/lib/modules/$release/modules.order" "$modules/"
rm -f "$modules"/*.bin
depmod -b "$tree" "$release"
(cd "$tree" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0 | gzip -n -1) >"$work/initrd.gz"
mv "$work/initrd.gz" "$target"
echo "$target"
