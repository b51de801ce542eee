# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A libvirtd inside the lab host, for `virsh nodedev-*`. Read after inside.sh.
export LIBVIRT_DEFAULT_URI=nodedev:///system
export SYSTEMD_IGNORE_CHROOT=1 # the host's root is not the one that its first program started in

# start_libvirtd: with the driver of node devices alone, which is all we ask it for, and with udevd, from which
# it hears of devices. False where this machine has none of it; $missing says what.
start_libvirtd() {
  local program drivers
  for program in libvirtd virsh udevadm /lib/systemd/systemd-udevd; do
    command -v "$program" >/dev/null || { missing=$program; return 1; }
  done
  drivers=$(mktemp -d)
  ln -s /usr/lib/*/libvirt/connection-driver/libvirt_driver_nodedev.so "$drivers/"
  mkdir -p /etc/libvirt /var/log/libvirt
  printf '%s = "%s"\n' unix_sock_group root auth_unix_rw none auth_unix_ro none >/etc/libvirt/libvirtd.conf
  /lib/systemd/systemd-udevd --daemon 2>/dev/null
  udevadm trigger --subsystem-match=pci --subsystem-match=mdev
  udevadm settle
  LIBVIRT_DRIVER_DIR=$drivers libvirtd --daemon
  virsh -q nodedev-list >/dev/null
}
# node_device UUID PARENT: what libvirt calls it
node_device() { local name=mdev_$1_$2; echo "${name//[-:.]/_}"; }
