// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// Whether /proc/cpuinfo lists vmx or svm. Absent where it has no "flags" line (not x86).
model::Reading<bool> parse_cpu_virtualization(std::string_view cpuinfo);

/// The lines that can explain a finding: IOMMU, VFIO, GPU drivers, BARs, boot framebuffers.
/// At most the last 200, oldest first.
std::vector<std::string> lines_that_matter(const std::vector<std::string>& kernel_log);

}  // namespace tessera::probe
