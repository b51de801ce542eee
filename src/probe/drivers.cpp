// SPDX-License-Identifier: Apache-2.0
#include "probe/drivers.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <fnmatch.h>

#include "kernel/files.h"

namespace tessera::probe {

namespace files = kernel::files;
using model::PciFunction;

namespace {

constexpr const char* vfio_start = "vfio_pci:";

/// Whether the fixed start of the pattern fits; fnmatch is slow and tables have 20 000 lines.
bool start_fits(std::string_view pattern, std::string_view modalias) {
  auto fixed = pattern.substr(0, pattern.find_first_of("*?["));
  return modalias.starts_with(fixed);
}

/// How the patterns start that can fit: any VFIO pattern, and of the usual ones those for every
/// vendor and those for a vendor that is here.
std::vector<std::string> starts_for(const std::vector<PciFunction>& functions) {
  constexpr std::size_t vendor_end = std::string_view("pci:v00008086").size();
  std::set<std::string> starts = {vfio_start, "pci:v*"};
  for (const auto& function : functions) {
    if (function.modalias.size() > vendor_end) {
      starts.insert(function.modalias.substr(0, vendor_end));
    }
  }
  return {starts.begin(), starts.end()};
}

bool is_old_framebuffer_driver(std::string_view module) {
  return module.ends_with("fb");
}

}  // namespace

AliasTable read_alias_table(const kernel::Root& root, const model::Reading<std::string>& release,
                            const std::vector<PciFunction>& functions) {
  AliasTable table;
  if (!release.has_value()) return table;
  auto text = root.read(files::module_table(release.value(), "modules.alias"));
  if (!text) return table;
  table.readable = true;
  auto aliases = kernel::parse_modules_alias(*text, starts_for(functions));
  auto usual = std::ranges::stable_partition(
      aliases, [](const auto& alias) { return alias.pattern.starts_with(vfio_start); });
  table.usual.assign(std::move_iterator(usual.begin()), std::move_iterator(usual.end()));
  aliases.erase(usual.begin(), usual.end());
  table.vfio = std::move(aliases);
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

void add_driver_choices(const AliasTable& table, std::vector<PciFunction>& functions) {
  for (auto& function : functions) {
    if (function.modalias.empty()) continue;
    function.vfio_module = kernel::best_vfio_module(table.vfio, function.modalias);
    function.usual_driver = usual_module(table.usual, function.modalias);
  }
}

}  // namespace tessera::probe
