#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kernel's own sample drivers of mediated devices: parents that are no PCI devices, types without a
# number, and the two answers of a full one. In the lab: in-lab mdev-samples mdev_samples.sh
# shellcheck source=tests/lab/mdevs.sh
. "$(dirname "$0")/mdevs.sh"
types() { echo "/sys/class/mdev_bus/$1/mdev_supported_types"; }
is "the parents" "$(parents)" "mbochs mdpy mtty"
for parent in mbochs mdpy mtty; do
  [[ $(readlink -f "/sys/class/mdev_bus/$parent") == /sys/devices/virtual/* ]] || failed "$parent is not virtual"
done
is "mtty has room for" "$(available "$(types mtty)")" "mtty-1:24 mtty-2:12 "
is "mdpy has room for" "$(available "$(types mdpy)")" "mdpy-hd:4 mdpy-vga:4 mdpy-xga:4 "
[ ! -e "$(types mtty)/mtty-1/description" ] || failed "mtty has descriptions now"

is "a large mbochs" "$(answer "$(types mbochs)/mbochs-large/create" "$(uuid)")" ok
is "mbochs has room for" "$(available "$(types mbochs)")" "mbochs-large:3 mbochs-medium:12 mbochs-small:48 "
for i in 1 2 3; do is "large mbochs $i more" "$(answer "$(types mbochs)/mbochs-large/create" "$(uuid)")" ok; done
is "a full driver that counts for itself" "$(answer "$(types mbochs)/mbochs-small/create" "$(uuid)")" "$full"
for i in 1 2 3 4; do is "mdpy $i" "$(answer "$(types mdpy)/mdpy-vga/create" "$(uuid)")" ok; done
is "a full driver that the core counts for" "$(answer "$(types mdpy)/mdpy-hd/create" "$(uuid)")" "$core_full"
is "mdevctl lists" "$(mdevctl list | grep -cE ' (mdpy|mbochs) ')" 8
remove_all
is "devices left" "$(find "$mdevs/" -mindepth 1)" ""
