#!/bin/sh
# Writes the host it runs on as a tree.tsv on standard output: what giving a card away needs, and
# nothing that names the machine or its owner. See README.md.
value() { [ -r "$1" ] && printf '%s\t%s\n' "$1" "$(sed 's/\\/\\\\/g; s/\t/\\t/g; s/$/\\n/' "$1" | tr -d '\n')"; }
link() { [ -L "$1" ] && printf '%s\t-> %s\n' "$1" "$(readlink "$1")"; }

for f in /sys/bus/pci/devices/*; do
  link "$f"
  for a in class vendor device subsystem_vendor subsystem_device revision numa_node boot_vga \
    driver_override reset_method modalias local_cpulist sriov_totalvfs sriov_numvfs; do value "$f/$a"; done
  for l in driver iommu_group physfn; do link "$f/$l"; done
  for n in "$f"/drm/* "$f"/sound/card*/* "$f"/graphics/*; do
    case $n in *"/*" | */uevent | */power | */subsystem | */device | */id | */number | */controlD* | */input*) continue ;; esac
    [ -d "$n" ] && printf '%s\t@dir\n' "$n"
  done
done
for g in /sys/kernel/iommu_groups/*; do
  [ -d "$g" ] || continue
  value "$g/type"; value "$g/reserved_regions"
  for d in "$g"/devices/*; do link "$d"; done
done
[ -d /sys/kernel/iommu_groups ] && printf '/sys/kernel/iommu_groups\t@dir\n'
for u in /sys/class/iommu/*; do link "$u"; done
for f in /proc/cmdline /proc/iomem /proc/modules /proc/sys/kernel/osrelease; do value "$f"; done
printf '/proc/cpuinfo\t%s\\n\n' "$(grep -m1 '^flags' /proc/cpuinfo | sed 's/\t/\\t/g')"
