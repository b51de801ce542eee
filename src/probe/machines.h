// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/processes.h"
#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

/// The virtual machines among the processes of a scan: who has a machine of KVM open.
std::vector<model::RunningMachine> find_machines(const kernel::Root& root,
                                                 const kernel::OpenDeviceScan& scan);

/// What the logs of libvirt's machines and of our own say of memory that failed under them, sorted
/// by machine; the last word of each. Logs that may not be read say nothing.
std::vector<model::MachineMemoryError> find_memory_errors(const kernel::Root& root);

/// The machine's name from /proc/PID/cmdline, words that end with a NUL: what follows QEMU's -name
/// ("desk1,debug-threads=on", "guest=desk1,process=..."), without its options; two commas there
/// stand for one. Empty where none is given.
std::string machine_name(std::string_view command_line);

}  // namespace tessera::probe
