#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the lab's initrd for a kernel directory of kernel.sh and prints its path: busybox, the modules
# that reach the machine outside over 9p, those that modules.sh added, the agent, init and enter. Kept in
# the cache by the kernel's release and a hash of everything that goes in.
#   usage: make-initrd.sh KERNEL_DIRECTORY AGENT
set -eu
PATH=$PATH:/usr/sbin:/sbin
kernel=$1
agent=$2
here=$(dirname "$(readlink -f "$0")")
release=$(cat "$kernel/release")
cache=${TESSERA_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tessera/lab}/initrd

# "libfmt.so.9 => /lib/x86_64-linux-gnu/libfmt.so.9 (0x...)" and "/lib64/ld-linux-x86-64.so.2 (0x...)"
libraries=$(ldd "$agent" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p')
added=$(find "$kernel/lib/modules/$release/updates" -name '*.ko' 2>/dev/null | sort || true)
hash=$(cat "$0" "$here/init" "$here/enter" "$agent" $libraries $added /bin/busybox "$kernel/lib/modules/$release/modules.dep" | sha256sum | cut -c1-16)
target=$cache/$release-$hash.gz
if [ -r "$target" ]; then echo "$target"; exit; fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
tree=$work/tree
modules=$tree/lib/modules/$release
mkdir -p "$tree/bin" "$tree/sbin" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/outside" "$tree/writes" \
  "$tree/new" "$modules"
chmod 755 "$tree"
cp /bin/busybox "$tree/bin/"
for applet in $(/bin/busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"; done
cp "$here/init" "$here/enter" "$tree/"
cp "$agent" "$tree/bin/tessera-lab-agent"
for library in $libraries; do
  mkdir -p "$tree$(dirname "$library")"
  cp -L "$library" "$tree$library"
done
chmod 755 "$tree/init" "$tree/enter" "$tree/bin/tessera-lab-agent"

for module in virtio_pci 9pnet_virtio 9p overlay virtio_console $(for file in $added; do basename "$file" .ko; done); do
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
