// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/lint/host_facts.h"
#include "plan/lint/rules.h"

namespace tessera::plan::linting {

using model::SettingsLine;

namespace {

/// The directives of modprobe.d(5).
const std::vector<std::string>& directives() {
  static const std::vector<std::string> names = {"alias",   "blacklist", "config",  "install",
                                                 "options", "remove",    "softdep", "weakdep"};
  return names;
}

bool is_directive(std::string_view word) {
  return std::ranges::find(directives(), word) != directives().end();
}

/// The directive that a word begins with, of those after which a name comes; empty if none does.
std::string_view glued_directive(std::string_view word) {
  for (std::string_view name : {"options", "blacklist", "softdep"}) {
    if (word.starts_with(name) && word.size() > name.size() + 1 && !is_directive(word)) return name;
  }
  return {};
}

/// Modules and where their parameter begins, for words that lost their blanks.
constexpr std::string_view modules_with_parameters[] = {
    "vfio_iommu_type1", "vfio-pci", "vfio_pci", "kvm_intel", "kvm_amd", "kvm", "i915", "nouveau"};

std::string with_blanks(std::string_view glued, std::string_view directive) {
  std::string_view rest = glued.substr(directive.size());
  for (std::string_view module : modules_with_parameters) {
    if (rest.starts_with(module) && rest.size() > module.size()) {
      return fmt::format("{} {} {}", directive, module, rest.substr(module.size()));
    }
  }
  return fmt::format("{} {}", directive, rest);
}

constexpr std::string_view gpu_drivers[] = {"amdgpu", "i915",         "nouveau",    "nova_core",
                                            "nvidia", "nvidiafb",     "nvidia_drm", "radeon",
                                            "xe",     "snd_hda_intel"};

bool is_gpu_driver(std::string_view module) {
  const std::string name = model::module_name(module);
  return std::ranges::find(gpu_drivers, name) != std::end(gpu_drivers);
}

bool has_softdep(const LintScope& scope, std::string_view module) {
  return std::ranges::any_of(scope.pieces.modprobe, [&](const SettingsLine& line) {
    return line.words.size() > 2 && line.words[0] == "softdep" &&
           model::module_name(line.words[1]) == model::module_name(module);
  });
}

bool binds_by_ids(const LintScope& scope) {
  return std::ranges::any_of(scope.pieces.modprobe, [](const SettingsLine& line) {
    return line.words.size() > 2 && line.words[0] == "options" &&
           model::module_name(line.words[1]) == "vfio_pci" &&
           line.text.find("ids=") != std::string::npos;
  });
}

bool is_virqfd(std::string_view word) {
  return model::module_name(word) == "vfio_virqfd";
}

}  // namespace

Hits modprobe_directive(const LintScope& scope) {
  Hits hits;
  for (const SettingsLine& line : scope.pieces.modprobe) {
    const std::string& word = line.words.front();
    if (is_directive(word) || !glued_directive(word).empty()) continue;
    const auto nearest = text::nearest(lower(word), directives());
    std::string right = "options, blacklist, softdep, install, remove, alias";
    if (nearest) right = *nearest + line.text.substr(std::min(word.size(), line.text.size()));
    hits.push_back(hit_at(line.number, line.text, right));
  }
  return hits;
}

Hits modprobe_glued(const LintScope& scope) {
  Hits hits;
  for (const SettingsLine& line : scope.pieces.modprobe) {
    const std::string& word = line.words.front();
    const auto directive = glued_directive(word);
    if (directive.empty() || text::nearest(word, directives()).has_value()) continue;
    hits.push_back(hit_at(line.number, line.text,
                          with_blanks(word, directive) + line.text.substr(word.size())));
  }
  return hits;
}

Hits blacklist_alone(const LintScope& scope) {
  Hits hits;
  if (!binds_by_ids(scope)) return hits;
  for (const SettingsLine& line : scope.pieces.modprobe) {
    if (line.words.size() != 2 || line.words[0] != "blacklist") continue;
    if (!is_gpu_driver(line.words[1]) || has_softdep(scope, line.words[1])) continue;
    hits.push_back(
        hit_at(line.number, line.text, fmt::format("softdep {} pre: vfio-pci", line.words[1])));
  }
  return hits;
}

Hits softdep_form(const LintScope& scope) {
  Hits hits;
  for (const SettingsLine& line : scope.pieces.modprobe) {
    if (line.words[0] != "softdep") continue;
    const bool named = std::ranges::any_of(
        line.words, [](const std::string& word) { return word == "pre:" || word == "post:"; });
    if (named || line.words.size() < 3) continue;
    std::string right = fmt::format("softdep {} pre: vfio-pci", line.words[1]);
    hits.push_back(hit_at(line.number, line.text, right));
  }
  return hits;
}

Hits softdep_reversed(const LintScope& scope) {
  Hits hits;
  for (const SettingsLine& line : scope.pieces.modprobe) {
    if (line.words.size() < 4 || line.words[0] != "softdep" || line.words[2] != "pre:") continue;
    if (model::module_name(line.words[1]) != "vfio_pci") continue;
    for (std::size_t i = 3; i < line.words.size(); ++i) {
      if (!is_gpu_driver(line.words[i])) continue;
      hits.push_back(
          hit_at(line.number, line.text, fmt::format("softdep {} pre: vfio-pci", line.words[i])));
      break;
    }
  }
  return hits;
}

Hits vfio_virqfd(const LintScope& scope) {
  Hits hits;
  const auto version = kernel_version(scope.host);
  if (version && *version < std::pair{6, 2}) return hits;
  for (const SettingsLine& line : scope.pieces.modules) {
    if (is_virqfd(line.words.front())) hits.push_back(hit_at(line.number, line.words.front()));
  }
  for (const SettingsLine& line : scope.pieces.modprobe) {
    for (const std::string& word : line.words) {
      if (is_virqfd(word)) hits.push_back(hit_at(line.number, word));
    }
  }
  for (const Command& command : scope.pieces.commands) {
    const bool loads = std::ranges::any_of(
        command.words, [](const Word& word) { return base_name(word.text) == "modprobe"; });
    for (const Word& word : command.words) {
      if (loads && is_virqfd(word.text)) hits.push_back(hit_at(word.line, word.text));
    }
  }
  for (Hit& hit : hits) {
    if (!version) continue;
    hit.verdict = LintVerdict::no_op;
    hit.why =
        fmt::format("This host runs kernel {}, and the module is part of vfio itself since 6.2.",
                    scope.host.kernel.release.value());
  }
  return hits;
}

Hits module_missing(const LintScope& scope) {
  Hits hits;
  if (!scope.host.kernel.unknown_modules.has_value()) return hits;
  const auto& missing = scope.host.kernel.unknown_modules.value();
  const auto look = [&](int line, const std::string& word) {
    const std::string name = model::module_name(word);
    if (is_virqfd(name)) return;  // has a rule of its own
    if (std::ranges::find(missing, name) != missing.end()) hits.push_back(hit_at(line, word));
  };
  for (const SettingsLine& line : scope.pieces.modules) look(line.number, line.words.front());
  for (const SettingsLine& line : scope.pieces.modprobe) {
    if (line.words.size() > 2 && line.words[0] == "options") look(line.number, line.words[1]);
  }
  return hits;
}

Hits initramfs_list_empty(const LintScope& scope) {
  const Pieces& pieces = scope.pieces;
  constexpr std::string_view list = "initramfs-tools/modules";
  const int named = pieces.first_line_with(list);
  if (pieces.kind != TextKind::guide || named == 0) return {};
  const bool listed = std::ranges::any_of(pieces.lines, [](const std::string& line) {
    const auto word = text::trim(line);
    return word.starts_with("vfio") && word.find(' ') == std::string_view::npos;
  });
  if (listed || !pieces.modules.empty()) return {};
  return {hit_at(named, std::string(list))};
}

Hits disable_vga(const LintScope& scope) {
  Hits hits;
  if (scope.host.kernel.option("CONFIG_VFIO_PCI_VGA") != "n") return hits;
  for (const SettingsLine& line : scope.pieces.modprobe) {
    for (const std::string& word : line.words) {
      if (word.starts_with("disable_vga=")) hits.push_back(hit_at(line.number, word));
    }
  }
  for (const KernelWords& line : scope.pieces.kernel) {
    for (const Word& word : line.words) {
      if (model::module_name(word.text).starts_with("vfio_pci.disable_vga=")) {
        hits.push_back(hit_at(word.line, word.text));
      }
    }
  }
  return hits;
}

}  // namespace tessera::plan::linting
