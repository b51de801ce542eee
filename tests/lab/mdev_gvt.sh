#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Types as Intel's: five lines, several sizes side by side, apertures shared. In the lab: in-lab slices-gvt mdev_gvt.sh
# shellcheck source=tests/lab/mdevs.sh
. "$(dirname "$0")/mdevs.sh"
types=$devices/0000:00:02.0/mdev_supported_types
# An aperture of 1024 MiB: 896 MiB of it and 2688 of the hidden 3072 are for mdevs.
is "what an empty card has room for" "$(available "$types")" \
  "tessera_lab-GVTg_V5_1:1 tessera_lab-GVTg_V5_2:2 tessera_lab-GVTg_V5_4:5 tessera_lab-GVTg_V5_8:7 "
is "a description" "$(<"$types/tessera_lab-GVTg_V5_4/description")" "low_gm_size: 128MB
high_gm_size: 512MB
fence: 4
resolution: 1920x1200
weight: 4"
is "a name" "$(<"$types/tessera_lab-GVTg_V5_4/name")" GVTg_V5_4
mdevctl types >/tmp/mdevctl
grep -qF "Description: low_gm_size: 128MB, high_gm_size: 512MB, fence: 4, resolution: 1920x1200, weight: 4" /tmp/mdevctl ||
  failed "mdevctl does not show the lines as one: $(cat /tmp/mdevctl)"
is "one half" "$(answer "$types/tessera_lab-GVTg_V5_2/create" "$(uuid)")" ok
is "what fits beside it" "$(available "$types")" \
  "tessera_lab-GVTg_V5_1:0 tessera_lab-GVTg_V5_2:1 tessera_lab-GVTg_V5_4:3 tessera_lab-GVTg_V5_8:4 "
is "an eighth beside it" "$(answer "$types/tessera_lab-GVTg_V5_8/create" "$(uuid)")" ok
is "the whole beside them" "$(answer "$types/tessera_lab-GVTg_V5_1/create" "$(uuid)")" "$full"
remove_all

say "--- an aperture of 256 MiB: types without room do not exist"
module=$(modprobe --show-depends tessera_lab | sed -n 's/^insmod \(.*tessera-lab\.ko\).*/\1/p')
rmmod tessera_lab
insmod "$module" cards=0000:00:02.0 types=gvt aperture_mib=256
is "what it has room for" "$(available "$types")" "tessera_lab-GVTg_V5_4:1 tessera_lab-GVTg_V5_8:2 "

say "--- NVIDIA's shape with another size, mixed, by the vendor's name"
rmmod tessera_lab
insmod "$module" cards=0000:00:02.0 driver_name=lab_vgpu product=A2 framebuffer_mib=24576 mixed_sizes=1
whole=$(type_named "$types" "LAB A2-24C")
eighth=$(type_named "$types" "LAB A2-8C")
[[ ${whole##*/} == lab_vgpu-* ]] || failed "the type is ${whole##*/}"
is "8C" "$(answer "$eighth/create" "$(uuid)")" ok
is "4C beside it" "$(answer "$(type_named "$types" "LAB A2-4C")/create" "$(uuid)")" ok
is "room for 8C" "$(<"$eighth/available_instances")" 1
is "24C beside them" "$(answer "$whole/create" "$(uuid)")" "$full"
remove_all
rmmod tessera_lab
is "no such set of types" "$(insmod "$module" types=none 2>&1 | sed 's/.*: //')" "Invalid parameters"
