#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# scripts/check-layers finds includes up and sideways and stray kernel paths, and nothing else.
# shellcheck source=tests/lint/planted.sh
. tests/lint/planted.sh

cp_licence='// SPDX-License-Identifier: Apache-2.0'
plant src/layers.txt <<<$'# who: whom\nbase:\nkernel: base\nplan: base kernel/names.h\napp: plan kernel base'
plant src/base/text.h <<<"$cp_licence"$'\n#pragma once\n'
plant src/kernel/files.h <<<"$cp_licence"$'\n#pragma once\n#include "base/text.h"\nconstexpr auto a = "/sys/bus";\n'
plant src/app/main.cpp <<<"$cp_licence"$'\n#include "kernel/files.h"\n#include <string>\n'
plant src/plan/decoy.cpp <<EOT
$cp_licence
#include "plan/own.h"
#include "kernel/names.h"
// "/sys/in a comment"
/* "/proc/in a block
   "/dev/still in it" */
const char* sentence = "see /dev/kvm"; const char* url = "http://x//y"; // "/etc/fstab"
const char* other = "/system";
EOT
plant src/plan/plan_test.cpp <<<"$cp_licence"$'\nauto expected = "/sys/bus/pci/drivers_probe";\n'
expect_clean check-layers

bad() { # FILE LINE-OF-CODE WORDS
  plant "$1" <<<"$cp_licence"$'\n'"$2"
  expect_complaint check-layers "$3"
  rm "$house/$1"
}
bad src/base/up.cpp '#include "plan/plan.h"' 'src/base/up.cpp:2: src/base may not include "plan/plan.h"'
bad src/plan/side.cpp '#include "kernel/files.h"' 'src/plan/side.cpp:2: src/plan may not include "kernel/files.h"'
bad src/plan/side.cpp '  #  include "kernel/files.h"' 'src/layers.txt allows base'
bad src/plan/relative.cpp '#include "../kernel/files.h"' 'src/plan/relative.cpp:2: #include "../kernel/files.h" is relative'
bad src/plan/foreign.cpp '#include "sqlite3.h"' '"sqlite3.h" names no layer'
bad src/plan/path.cpp 'auto p = "/sys/bus/pci";' 'src/plan/path.cpp:2: kernel path "/sys/bus/pci" outside src/kernel'
bad src/plan/path.cpp 'auto p = x ? "a" : "/dev/" + y;  // why' 'kernel path "/dev/"'
bad src/app/path.cpp 'auto p = R"(x)"; auto q = "/etc";' 'kernel path "/etc"'
bad src/plan/path.cpp 'int n = 1; /* gone */ auto p = "/proc/iomem";' 'kernel path "/proc/iomem"'
bad src/attic/a.cpp 'int a;' 'the folder src/attic has no row'
bad src/base/a.h '#include "base/text.h"' '#pragma once does not come before'
bad src/base/a.h $'#pragma once\nusing namespace std;' 'using namespace'
plant src/base/bare.cpp <<<'int a;'
expect_complaint check-layers 'src/base/bare.cpp:1: the first line is not the licence'
rm "$house/src/base/bare.cpp"
expect_clean check-layers
exit "$failed"
