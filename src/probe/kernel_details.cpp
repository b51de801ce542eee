// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "kernel/gunzip.h"
#include "model/settings.h"
#include "probe/read.h"
#include "probe/system.h"

namespace tessera::probe {

namespace files = kernel::files;
using model::KernelFacts;
using model::Reading;
using model::SettingsFile;
using model::SettingsKind;

namespace {

constexpr std::string_view wanted_options[] = {
    "CONFIG_AMD_IOMMU",
    "CONFIG_DRM_I915_GVT",
    "CONFIG_DRM_I915_GVT_KVMGT",
    "CONFIG_INTEL_IOMMU",
    "CONFIG_INTEL_IOMMU_DEFAULT_ON",
    "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF",
    "CONFIG_IOMMUFD",
    "CONFIG_IOMMU_DEFAULT_DMA_LAZY",
    "CONFIG_IOMMU_DEFAULT_DMA_STRICT",
    "CONFIG_IOMMU_DEFAULT_PASSTHROUGH",
    "CONFIG_IRQ_REMAP",
    "CONFIG_MODULE_SIG_FORCE",
    "CONFIG_SYSFB_SIMPLEFB",
    "CONFIG_VFIO_DEVICE_CDEV",
    "CONFIG_VFIO_MDEV",
    "CONFIG_VFIO_PCI",
    "CONFIG_VFIO_PCI_VGA",
};

struct Parameter {
  std::string_view module;
  std::string_view name;
};
constexpr Parameter wanted_parameters[] = {
    {"i915", "enable_guc"},      {"i915", "enable_gvt"},       {"i915", "max_vfs"},
    {"kvm", "ignore_msrs"},      {"kvm_amd", "nested"},        {"kvm_intel", "nested"},
    {"nvidia_drm", "fbdev"},     {"nvidia_drm", "modeset"},    {"vfio_pci", "disable_idle_d3"},
    {"vfio_pci", "disable_vga"}, {"vfio_pci", "enable_sriov"}, {"xe", "max_vfs"},
};

void read_config(const kernel::Root& root, KernelFacts& facts) {
  if (auto compressed = root.read(files::proc_config)) {
    if (auto text = kernel::gunzip(*compressed)) {
      facts.config = parse_kernel_config(*text);
      facts.config_path = files::proc_config;
      return;
    }
  }
  if (!facts.release.has_value()) return;
  auto path = files::boot_config(facts.release.value());
  auto text = root.read(path);
  if (!text) return;
  facts.config = parse_kernel_config(*text);
  facts.config_path = std::move(path);
}

Reading<std::vector<std::string>> read_modules(const kernel::Root& root) {
  auto text = read_text(root, files::proc_modules);
  if (text.is_unreadable()) return Reading<std::vector<std::string>>::unreadable(text.why());
  if (!text.has_value()) return {};
  std::vector<std::string> names;
  for (auto line : text::lines(text.value())) names.emplace_back(line.substr(0, line.find(' ')));
  std::ranges::sort(names);
  return names;
}

std::map<std::string, std::string> read_parameters(const kernel::Root& root) {
  std::map<std::string, std::string> found;
  for (const auto& [module, name] : wanted_parameters) {
    auto value = read_text(root, files::module_parameter(module, name));
    if (value.has_value()) found.emplace(fmt::format("{}.{}", module, name), value.value());
  }
  return found;
}

Reading<std::vector<std::string>> read_unknown_modules(const kernel::Root& root,
                                                       const std::vector<SettingsFile>& settings,
                                                       const Reading<std::string>& release) {
  if (!release.has_value()) return {};
  const auto wanted = module_names_in(settings);
  if (wanted.empty()) return std::vector<std::string>{};
  auto dep = root.read(files::module_table(release.value(), "modules.dep"));
  if (!dep) return {};
  auto builtin = root.read(files::module_table(release.value(), "modules.builtin"));
  return modules_without_file(wanted, *dep, builtin ? *builtin : std::string());
}

/// Absent on a machine without UEFI; a variable that is missing means that it cannot be on.
Reading<bool> read_secure_boot(const kernel::Root& root) {
  if (!root.exists(files::efi)) return {};
  auto variable = root.read(files::efi_secure_boot);
  if (variable) return variable->size() == 5 && (*variable)[4] == 1;
  if (variable.error().kind != ErrorKind::not_found) {
    return Reading<bool>::unreadable(why_unreadable(variable.error()));
  }
  return root.is_surely_absent(files::efi_secure_boot) ? Reading<bool>(false) : Reading<bool>{};
}

}  // namespace

void read_more_kernel_facts(const kernel::Root& root, const std::vector<SettingsFile>& settings,
                            KernelFacts& facts) {
  read_config(root, facts);
  facts.modules = read_modules(root);
  facts.parameters = read_parameters(root);
  facts.unknown_modules = read_unknown_modules(root, settings, facts.release);
  auto lockdown = read_text(root, files::lockdown);
  facts.lockdown =
      lockdown.has_value() ? Reading<std::string>(parse_lockdown(lockdown.value())) : lockdown;
  facts.secure_boot = read_secure_boot(root);
  auto limits = read_text(root, files::proc_self_limits);
  auto limit = parse_memlock_limit(limits.value_or(""));
  if (!limit.empty()) facts.memlock_limit = limit;
  facts.may_lock_any_memory = parse_ipc_lock(read_text(root, files::proc_self_status).value_or(""));
}

std::vector<std::string> module_names_in(const std::vector<SettingsFile>& settings) {
  std::set<std::string> names;
  for (const auto& file : settings) {
    const auto kind = model::settings_kind(file.path);
    if (kind == SettingsKind::module_list || kind == SettingsKind::initramfs_modules) {
      for (const auto& line : model::listed_modules(file)) {
        names.insert(model::module_name(line.words.front()));
      }
    } else if (kind == SettingsKind::mkinitcpio) {
      for (const auto& line : model::assignments(file)) {
        if (line.words.front() != "MODULES=") continue;
        for (auto word : text::words(line.words.back())) names.insert(model::module_name(word));
      }
    }
  }
  return {names.begin(), names.end()};
}

std::string module_of_path(std::string_view path) {
  auto name = path.substr(path.rfind('/') + 1);
  return model::module_name(name.substr(0, name.find(".ko")));
}

model::KernelConfig parse_kernel_config(std::string_view text) {
  constexpr std::string_view not_set_start = "# ";
  constexpr std::string_view not_set_end = " is not set";
  model::KernelConfig found;
  const auto keep = [&](std::string_view name, std::string_view value) {
    if (std::ranges::find(wanted_options, name) != std::end(wanted_options)) {
      found.emplace(name, value);
    }
  };
  for (auto line : text::lines(text)) {
    if (line.starts_with(not_set_start) && line.ends_with(not_set_end)) {
      line.remove_prefix(not_set_start.size());
      keep(line.substr(0, line.size() - not_set_end.size()), "n");
    } else if (auto equals = line.find('='); equals != std::string_view::npos) {
      keep(line.substr(0, equals), text::trim(line.substr(equals + 1)));
    }
  }
  return found;
}

std::vector<std::string> modules_without_file(const std::vector<std::string>& names,
                                              std::string_view modules_dep,
                                              std::string_view modules_builtin) {
  std::set<std::string> missing(names.begin(), names.end());
  for (auto line : text::lines(modules_dep)) {
    missing.erase(module_of_path(line.substr(0, line.find(':'))));
  }
  for (auto line : text::lines(modules_builtin)) missing.erase(module_of_path(line));
  return {missing.begin(), missing.end()};
}

std::string parse_lockdown(std::string_view text) {
  const auto open = text.find('[');
  const auto close = text.find(']', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return std::string(text.substr(open + 1, close - open - 1));
}

std::string parse_memlock_limit(std::string_view text) {
  for (auto line : text::lines(text)) {
    if (!line.starts_with("Max locked memory")) continue;
    auto words = text::words(line);
    return words.size() > 3 ? std::string(words[3]) : std::string();
  }
  return {};
}

Reading<bool> parse_ipc_lock(std::string_view status) {
  constexpr unsigned cap_ipc_lock = 14;  // include/uapi/linux/capability.h
  for (auto line : text::lines(status)) {
    if (!line.starts_with("CapEff:")) continue;
    auto mask = text::to_number(text::trim(line.substr(line.find(':') + 1)), 16);
    return mask ? Reading<bool>((*mask >> cap_ipc_lock & 1) != 0) : Reading<bool>{};
  }
  return {};
}

}  // namespace tessera::probe
