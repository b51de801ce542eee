// SPDX-License-Identifier: Apache-2.0
#include "probe/drivers.h"

#include <algorithm>

#include <fnmatch.h>

#include "kernel/files.h"

namespace tessera::probe {

namespace files = kernel::files;

namespace {

/// Whether the fixed start of the pattern fits; fnmatch is slow and tables have 20 000 lines.
bool start_fits(std::string_view pattern, std::string_view modalias) {
  auto fixed = pattern.substr(0, pattern.find_first_of("*?["));
  return modalias.starts_with(fixed);
}

bool is_old_framebuffer_driver(std::string_view module) {
  return module.ends_with("fb");
}

}  // namespace

AliasTable read_alias_table(const kernel::Root& root, const model::Reading<std::string>& release) {
  AliasTable table;
  if (!release.has_value()) return table;
  auto text = root.read(files::module_table(release.value(), "modules.alias"));
  if (!text) return table;
  table.readable = true;
  table.vfio = kernel::parse_modules_alias(*text, "vfio_pci:");
  table.usual = kernel::parse_modules_alias(*text, "pci:");
  return table;
}

std::string usual_module(const std::vector<kernel::ModuleAlias>& aliases,
                         std::string_view modalias) {
  const kernel::ModuleAlias* best = nullptr;
  std::ptrdiff_t fewest = 0;
  std::string name(modalias);
  for (const auto& alias : aliases) {
    if (!start_fits(alias.pattern, modalias) || is_old_framebuffer_driver(alias.module)) continue;
    if (::fnmatch(alias.pattern.c_str(), name.c_str(), 0) != 0) continue;
    auto wildcards = std::ranges::count(alias.pattern, '*');
    if (best != nullptr && wildcards >= fewest) continue;
    best = &alias;
    fewest = wildcards;
  }
  return best != nullptr ? best->module : std::string{};
}

void add_driver_choices(const AliasTable& table, std::vector<model::PciFunction>& functions) {
  for (auto& function : functions) {
    if (function.modalias.empty()) continue;
    function.vfio_module = kernel::best_vfio_module(table.vfio, function.modalias);
    function.usual_driver = usual_module(table.usual, function.modalias);
  }
}

}  // namespace tessera::probe
