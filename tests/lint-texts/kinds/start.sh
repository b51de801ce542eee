#!/bin/bash
# Takes the card from the host and starts the machine.
card=$(lspci | awk '/ 3D / {print $1}')
id=$(uuid-gen)
echo 0000:02:00.0 > /sys/bus/pci/devices/0000:02:00.0/driver/unbind
echo 1234:1111 > /sys/bus/pci/drivers/vfio-pci/new_id
sudo echo 1 > /sys/bus/pci/rescan
echo"blacklist nouveau" > /etc/modprobe.d/nouveau.conf
cat sys/bus/pci/devices/0000:02:00.0/vendor
QEMU_AUDIO_DRV=alsa qemu-system-x86_64 -machine q35 -cpu host,kvm=off \
  -smp 4, cores=4 \
  -vnc 0.0.0.0:3 \
  -monitor unix:/tmp/qmp-vm,server,nowait \
  -soundhw hda \
  -device pcie-root-port, id=port1,addr=1c.0 \
  -device vfio-pci,host=01:00.0,x-vga=on \
  - device vfio-pci,host=01:00.0 \
  -device vfio-pci,host=7f:00.0,bus=port9
  -device virtio-balloon-pci
