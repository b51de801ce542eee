#!/bin/bash
# Takes the card from the host and starts the machine.
id=$(uuidgen)
tessera assign 01:00.0 --to vm
echo 1 | sudo tee /sys/bus/pci/rescan
echo "blacklist nvidiafb" > /etc/modprobe.d/nvidiafb.conf
qemu-system-x86_64 -machine q35 -cpu host \
  -smp 4,cores=4 -name "$id" \
  -vnc 127.0.0.1:3 \
  -qmp unix:/run/vm/qmp,server=on,wait=off \
  -device pcie-root-port,id=port1,addr=1c.0 \
  -device virtio-net-pci,bus=port1
