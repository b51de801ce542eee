#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots every host of lab/hosts that this machine's QEMU can run and that no other test boots (in-lab
# does the same there), and looks whether it is as promised. The arguments name those others.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=tests/lab/promises.sh
. "$here/promises.sh"

tried=0
wrong=
for file in "$source_dir"/lab/hosts/*.yaml; do
  host=$(basename "$file" .yaml)
  [[ " $* " != *" $host "* ]] || continue
  # One that this machine cannot have is left out; the others still count.
  (boot "$host" 120) || {
    [ $? = 77 ] || exit 1
    continue
  }
  lab_host=$host
  (trap - EXIT; as_promised) || wrong+=" $host"
  kernel_is_content
  lower
  tried=$((tried + 1))
done
[ -z "$wrong" ] || failed "not as promised:$wrong"
[ "$tried" -ge 4 ] || failed "only $tried hosts could be tried"
say "$tried hosts"
