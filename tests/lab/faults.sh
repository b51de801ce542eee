#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What breaks under machines, on a real kernel: a page of one guest's memory fails, and a card reports
# an error on PCI Express. Only the machine that has it is hit, and Tessera says which, and why.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
boot faults 300
# inject CARD: a completion timeout, by the QEMU that the host runs in
inject() {
  "$TESSERA_BUILD_DIR/qemu_monitor" "$(echo "$XDG_RUNTIME_DIR"/*/faults/qmp.sock)" "pcie_aer_inject_error $1 COMP_TIME"
}
within() { inside "$here/faults_inside.sh" "$@"; }
within start
within memory
within before_error
inject gpu0
within after_error
inject gpu1
within cordoned
kernel_is_content
