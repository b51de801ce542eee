// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

struct AliasTable;

/// The running kernel's release, from /proc/sys/kernel/osrelease.
model::Reading<std::string> read_release(const kernel::Root& root);

/// The other facts about the kernel, the IOMMU and VFIO that decide whether a card can be given
/// away. `table` is the running kernel's modules.alias.
model::KernelFacts read_kernel_facts(const kernel::Root& root, const AliasTable& table);

/// What else a doctor asks of the kernel: its build's options, modules and their parameters,
/// lockdown, Secure Boot, the memory that may be locked. `settings` are the host's, for the modules
/// they name.
void read_more_kernel_facts(const kernel::Root& root,
                            const std::vector<model::SettingsFile>& settings,
                            model::KernelFacts& facts);

/// The options of a kernel's configuration that Tessera asks for: "y", "m" or a value; "n" where
/// the text says "is not set".
model::KernelConfig parse_kernel_config(std::string_view text);

/// The modules that settings files want loaded, each once, in the kernel's spelling.
std::vector<std::string> module_names_in(const std::vector<model::SettingsFile>& settings);

/// "kernel/drivers/vfio/pci/vfio-pci.ko.xz" gives "vfio_pci".
std::string module_of_path(std::string_view path);

/// Of `names`, those that neither modules.dep nor modules.builtin has.
std::vector<std::string> modules_without_file(const std::vector<std::string>& names,
                                              std::string_view modules_dep,
                                              std::string_view modules_builtin);

/// "none", "integrity" or "confidentiality" of "none [integrity] confidentiality".
std::string parse_lockdown(std::string_view text);

/// The soft limit of "Max locked memory" in /proc/PID/limits; empty when it is not there.
std::string parse_memlock_limit(std::string_view text);

/// Whether the "CapEff" line of /proc/PID/status has CAP_IPC_LOCK; absent without such a line.
model::Reading<bool> parse_ipc_lock(std::string_view status);

/// Whether /proc/cpuinfo lists vmx or svm. Absent where it has no "flags" line (not x86).
model::Reading<bool> parse_cpu_virtualization(std::string_view cpuinfo);

/// The lines that can explain a finding: IOMMU, VFIO, GPU drivers, BARs, boot framebuffers.
/// At most the last 200, oldest first.
std::vector<std::string> lines_that_matter(const std::vector<std::string>& kernel_log);

}  // namespace tessera::probe
