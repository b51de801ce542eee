// SPDX-License-Identifier: Apache-2.0
#include "probe/system.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "kernel/modules.h"
#include "probe/drivers.h"
#include "probe/read.h"

namespace tessera::probe {

using model::Reading;
namespace files = kernel::files;

namespace {

constexpr std::string_view telling_words[] = {"iommu",
                                              "IOMMU",
                                              "DMAR",
                                              "AMD-Vi",
                                              "vfio",
                                              "VFIO",
                                              "NVRM",
                                              "nvidia",
                                              "nouveau",
                                              "amdgpu",
                                              "radeon",
                                              "i915",
                                              "xe ",
                                              "VF BAR",
                                              "BAR ",
                                              "simpledrm",
                                              "efifb",
                                              "BOOTFB",
                                              "vgaarb",
                                              "Unknown kernel command line",
                                              "HugeTLB",
                                              "Lockdown",
                                              "unsigned module",
                                              "is rejected",
                                              "PKCS#7 signature",
                                              "nterrupt remapping",
                                              "can't reserve",
                                              "no space",
                                              "giving up",
                                              "pending transaction",
                                              "reset failed",
                                              "Failed to reset",
                                              "SR-IOV",
                                              "not ready",
                                              "Memory failure:",
                                              "EDAC MC",
                                              "PCIe Bus Error",
                                              "error status/mask",
                                              "(First)",
                                              "AER:"};
constexpr std::size_t most_log_lines = 200;

/// Bit 3 of the extended capability register says that the unit can remap interrupts
/// (VT-d specification 10.4.3). Absent without Intel units or where one does not show the register.
Reading<bool> read_interrupt_remapping(const kernel::Root& root,
                                       const std::vector<std::string>& units) {
  Reading<bool> all;
  for (const auto& unit : units) {
    if (!unit.starts_with("dmar")) continue;
    auto text = read_text(root, fmt::format("{}/{}/intel-iommu/ecap", files::iommu_units, unit));
    if (text.is_unreadable()) return Reading<bool>::unreadable(text.why());
    auto ecap = text.has_value() ? text::to_number(text.value(), 16) : std::nullopt;
    if (!ecap) return {};
    all = all.value_or(true) && (*ecap & 8) != 0;
  }
  return all;
}

Reading<bool> read_vfio_available(const kernel::Root& root, const AliasTable& table) {
  bool listed =
      std::ranges::find(table.vfio, "vfio_pci", &kernel::ModuleAlias::module) != table.vfio.end();
  if (listed || kernel::module_present(root, "vfio_pci") ||
      root.exists(files::pci_driver("vfio-pci"))) {
    return true;
  }
  return table.readable ? Reading<bool>(false) : Reading<bool>{};
}

Reading<bool> read_vfio_loaded(const kernel::Root& root) {
  if (root.exists(files::pci_driver("vfio-pci")) || kernel::module_present(root, "vfio_pci")) {
    return true;
  }
  if (root.kind() == kernel::Root::Kind::directory) return false;
  if (root.is_surely_absent(files::pci_driver("vfio-pci")) &&
      root.is_surely_absent(files::module("vfio_pci"))) {
    return false;
  }
  // A recording tells only if it kept the list of modules.
  auto modules = read_text(root, files::proc_modules);
  if (!modules.has_value()) return {};
  return std::ranges::any_of(text::lines(modules.value()),
                             [](std::string_view line) { return line.starts_with("vfio_pci "); });
}

/// A kernel without the directory has no IOMMU support at work; a recording may have left it out.
Reading<bool> read_groups_present(const kernel::Root& root) {
  auto groups = root.list(files::iommu_groups);
  if (groups) return true;
  if (groups.error().kind != ErrorKind::not_found) {
    return Reading<bool>::unreadable(why_unreadable(groups.error()));
  }
  return root.is_surely_absent(files::iommu_groups) ? Reading<bool>(false) : Reading<bool>{};
}

}  // namespace

Reading<std::string> read_release(const kernel::Root& root) {
  return read_text(root, files::proc_osrelease);
}

model::KernelFacts read_kernel_facts(const kernel::Root& root, const AliasTable& table) {
  model::KernelFacts facts;
  facts.release = read_release(root);
  facts.command_line = read_text(root, files::proc_cmdline);
  if (auto units = root.list(files::iommu_units)) facts.iommu_units = std::move(*units);
  facts.iommu_groups_present = read_groups_present(root);
  auto cpuinfo = read_text(root, files::proc_cpuinfo);
  if (cpuinfo.has_value()) facts.cpu_virtualization = parse_cpu_virtualization(cpuinfo.value());
  if (cpuinfo.is_unreadable()) {
    facts.cpu_virtualization = Reading<bool>::unreadable(cpuinfo.why());
  }
  if (root.exists(files::dev_mem_root)) facts.kvm_device = root.exists(files::dev_kvm);
  facts.vfio_pci_available = read_vfio_available(root, table);
  facts.vfio_pci_loaded = read_vfio_loaded(root);
  facts.unsafe_interrupts_allowed =
      read_bool(root, files::module("vfio_iommu_type1", "parameters/allow_unsafe_interrupts"));
  facts.noiommu_enabled =
      read_bool(root, files::module("vfio", "parameters/enable_unsafe_noiommu_mode"));
  facts.interrupt_remapping = read_interrupt_remapping(root, facts.iommu_units);
  return facts;
}

Reading<bool> parse_cpu_virtualization(std::string_view cpuinfo) {
  for (auto line : text::lines(cpuinfo)) {
    auto words = text::words(line);
    if (words.empty() || words.front() != "flags") continue;
    return std::ranges::find(words, "vmx") != words.end() ||
           std::ranges::find(words, "svm") != words.end();
  }
  return {};
}

std::vector<std::string> lines_that_matter(const std::vector<std::string>& kernel_log) {
  std::vector<std::string> lines;
  for (const auto& line : kernel_log) {
    bool tells = std::ranges::any_of(
        telling_words, [&](auto word) { return line.find(word) != std::string::npos; });
    if (tells) lines.push_back(line);
  }
  if (lines.size() > most_log_lines) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most_log_lines));
  }
  return lines;
}

}  // namespace tessera::probe
