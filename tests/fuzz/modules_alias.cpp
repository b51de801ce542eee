// SPDX-License-Identifier: Apache-2.0
// modules.alias and the choice of a VFIO driver. Input: a modalias, NUL, the table.
#include <algorithm>

#include "fuzz.h"
#include "kernel/modules.h"

namespace {

std::ptrdiff_t wildcards(std::string_view pattern) {
  return std::ranges::count(pattern, '*');
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  using tessera::kernel::best_vfio_module;
  using tessera::kernel::ModuleAlias;
  auto [modalias, table] = tessera::fuzz::halves(tessera::fuzz::text_of(data, size));
  const std::string starts[] = {"vfio_pci:"};
  auto aliases = tessera::kernel::parse_modules_alias(table, starts);
  for (const ModuleAlias& alias : aliases) {
    must(alias.pattern.starts_with("vfio_pci:"), "only the asked-for aliases are taken");
    must(!alias.module.empty(), "an alias names a module");
  }
  // Patterns come from depmod and hold a few wildcards; matching is exponential in them.
  std::erase_if(aliases, [](const ModuleAlias& alias) { return wildcards(alias.pattern) > 8; });

  auto best = best_vfio_module(aliases, modalias);
  auto chosen = std::ranges::find(aliases, best, &ModuleAlias::module);
  must(best.empty() || chosen != aliases.end(), "the best module is one of the table");

  auto with_general = aliases;
  with_general.push_back({.pattern = "vfio_pci:v*d*sv*sd*bc*sc*i*********", .module = "general"});
  auto second = best_vfio_module(with_general, modalias);
  must(best.empty() || second == best, "a more general alias never wins");
  must(!best.empty() || second.empty() || second == "general", "nothing comes from nowhere");
  return 0;
}
