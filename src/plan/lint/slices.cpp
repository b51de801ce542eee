// SPDX-License-Identifier: Apache-2.0
// Mediated devices, vGPUs and virtual functions.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/lint/given_devices.h"
#include "plan/lint/host_facts.h"
#include "plan/lint/rules.h"

namespace tessera::plan::linting {

namespace files = kernel::files;
using model::PciAddress;

namespace {

constexpr std::string_view types_folder = "mdev_supported_types/";

/// A command of mdevctl: what it does, and its options.
struct MdevctlCall {
  int line = 0;
  std::string action;  ///< "define", "start", ...
  std::string type;
  std::string uuid;  ///< in lower case
  bool automatic = false;
};

std::string value_of(const Command& command, std::size_t from,
                     std::initializer_list<std::string_view> names) {
  for (std::size_t i = from; i < command.words.size(); ++i) {
    const std::string& word = command.words[i].text;
    for (std::string_view name : names) {
      if (word == name && i + 1 < command.words.size()) return command.words[i + 1].text;
      if (word.starts_with(fmt::format("{}=", name))) return word.substr(name.size() + 1);
    }
  }
  return {};
}

std::vector<MdevctlCall> mdevctl_calls(const LintScope& scope) {
  std::vector<MdevctlCall> calls;
  for (const Command& command : scope.pieces.commands) {
    for (std::size_t i = 0; i + 1 < command.words.size(); ++i) {
      if (base_name(command.words[i].text) != "mdevctl") continue;
      MdevctlCall call;
      call.line = command.words[i].line;
      call.action = command.words[i + 1].text;
      call.type = value_of(command, i, {"--type", "-t"});
      call.uuid = lower(value_of(command, i, {"--uuid", "-u"}));
      call.automatic = std::ranges::any_of(command.words, [](const Word& word) {
        return word.text == "--auto" || word.text == "-a";
      });
      calls.push_back(std::move(call));
      break;
    }
  }
  return calls;
}

/// A mediated device made by a command: by mdevctl, or by writing to a type's create file.
struct Creation {
  int line = 0;
  std::string type;
  std::string uuid;  ///< empty where it is no literal one
  std::optional<PciAddress> parent;
  std::string seen;
};

std::optional<PciAddress> address_in(std::string_view path) {
  for (auto part : text::split(path, '/')) {
    if (auto address = model::parse_pci_address(part)) return *address;
  }
  return std::nullopt;
}

std::string type_in(std::string_view path) {
  const auto at = path.find(types_folder);
  if (at == std::string_view::npos) return {};
  path.remove_prefix(at + types_folder.size());
  return std::string(path.substr(0, path.find('/')));
}

std::vector<Creation> creations(const LintScope& scope) {
  std::vector<Creation> made;
  for (const MdevctlCall& call : mdevctl_calls(scope)) {
    if (call.action != "define" && call.action != "start") continue;
    made.push_back({call.line, call.type, parse_uuid(call.uuid).value_or(""), std::nullopt,
                    call.type.empty() ? "mdevctl " + call.action : call.type});
  }
  for (const FileWrite& write : scope.pieces.writes) {
    const std::string type = type_in(write.path);
    if (type.empty() || base_name(write.path) != "create") continue;
    made.push_back({write.line, type, parse_uuid(text::trim(write.value)).value_or(""),
                    address_in(write.path), write.path});
  }
  std::ranges::stable_sort(made, {}, &Creation::line);
  return made;
}

std::string numbered_line(const Pieces& pieces, int line) {
  return pieces.lines[static_cast<std::size_t>(line) - 1];
}

}  // namespace

Hits mdev_path(const LintScope& scope) {
  Hits hits;
  const std::string ways[] = {files::pci_driver("nvidia") + "/", "/class/mdev_bus/"};
  for (std::size_t i = 0; i < scope.pieces.lines.size(); ++i) {
    const std::string& line = scope.pieces.lines[i];
    if (line.find("mdev") == std::string::npos) continue;
    for (const std::string& way : ways) {
      const auto at = line.find(way);
      if (at == std::string::npos) continue;
      const auto end = std::min(line.find_first_of(" \t\"'`);", at), line.size());
      const std::string after = line.substr(at + way.size(), end - at - way.size());
      // Other devices than PCI ones have no other place.
      if (!model::parse_pci_address(after.substr(0, after.find('/')))) continue;
      const auto start = line.find_last_of(" \t\"'`(>=", at);
      const auto first = start == std::string::npos ? 0 : start + 1;
      hits.push_back(hit_at(static_cast<int>(i) + 1, line.substr(first, end - first),
                            fmt::format("{}/{}", files::pci_devices, after)));
    }
  }
  return hits;
}

Hits mdev_on_vendor_vgpu(const LintScope& scope) {
  Hits hits;
  if (!has_vendor_vgpu(scope.host) || has_mdev(scope.host)) return hits;
  for (const Creation& made : creations(scope)) {
    if (made.type.starts_with("nvidia-")) hits.push_back(hit_at(made.line, made.seen));
  }
  return hits;
}

Hits mdev_type_missing(const LintScope& scope) {
  std::set<std::string> offered;
  for (const model::PciFunction& function : scope.host.functions) {
    offered.insert(function.mdev_types.begin(), function.mdev_types.end());
  }
  Hits hits;
  if (offered.empty()) return hits;
  for (const Creation& made : creations(scope)) {
    if (made.type.empty() || made.type.find('$') != std::string::npos) continue;
    if (offered.contains(made.type)) continue;
    Hit hit = hit_at(made.line, made.type, text::join({offered.begin(), offered.end()}, ", "));
    hit.says = fmt::format("no device of this host offers the type {}", made.type);
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits mdev_type_other(const LintScope& scope) {
  std::set<std::string> wanted;
  for (const Creation& made : creations(scope)) {
    if (!made.type.empty()) wanted.insert(made.type);
  }
  Hits hits;
  if (wanted.empty()) return hits;
  for (std::size_t i = 0; i < scope.pieces.lines.size(); ++i) {
    // As mdevctl lists them: UUID, parent, type, "manual" or "auto".
    const auto words = text::words(scope.pieces.lines[i]);
    if (words.size() < 4 || !parse_uuid(words[0])) continue;
    if (words[3] != "manual" && words[3] != "auto") continue;
    if (wanted.contains(std::string(words[2]))) continue;
    Hit hit = hit_at(static_cast<int>(i) + 1, std::string(words[2]));
    hit.says = fmt::format("the listing shows {}, and the text makes {}", words[2],
                           text::join({wanted.begin(), wanted.end()}, ", "));
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits mdev_no_auto(const LintScope& scope) {
  const auto calls = mdevctl_calls(scope);
  if (std::ranges::any_of(calls, &MdevctlCall::automatic)) return {};
  for (const MdevctlCall& call : calls) {
    if (call.action == "define") return {hit_at(call.line, "mdevctl define")};
  }
  return {};
}

Hits mdev_uuid_other(const LintScope& scope) {
  std::set<std::string> made;
  int first = 0;
  for (const Creation& creation : creations(scope)) {
    if (creation.uuid.empty()) continue;
    if (first == 0) first = creation.line;
    made.insert(creation.uuid);
  }
  Hits hits;
  if (made.empty()) return hits;
  for (const GivenSlice& slice : given_slices(scope.pieces)) {
    if (slice.line < first || made.contains(slice.uuid)) continue;
    hits.push_back(hit_at(slice.line, slice.uuid, text::join({made.begin(), made.end()}, " or ")));
  }
  return hits;
}

Hits mdev_uuid_missing(const LintScope& scope) {
  std::set<std::string> there;
  for (const model::PciFunction& function : scope.host.functions) {
    for (const std::string& uuid : function.mdevs) there.insert(lower(uuid));
  }
  Hits hits;
  if (there.empty() && (!scope.host.live || scope.host.functions.empty())) return hits;
  for (const Creation& made : creations(scope)) there.insert(made.uuid);
  for (const GivenSlice& slice : given_slices(scope.pieces)) {
    if (!there.contains(slice.uuid)) hits.push_back(hit_at(slice.line, slice.uuid));
  }
  return hits;
}

Hits mdev_other_parent(const LintScope& scope) {
  std::set<PciAddress> listed;
  std::set<int> creating;
  const auto made = creations(scope);
  for (const Creation& creation : made) creating.insert(creation.line);
  for (std::size_t i = 0; i < scope.pieces.lines.size(); ++i) {
    const std::string& line = scope.pieces.lines[i];
    if (creating.contains(static_cast<int>(i) + 1)) continue;
    const auto types = line.find("mdev_supported_types");
    if (types == std::string::npos) continue;
    if (auto address = address_in(std::string_view(line).substr(0, types))) listed.insert(*address);
  }
  Hits hits;
  if (listed.empty()) return hits;
  for (const Creation& creation : made) {
    if (!creation.parent || listed.contains(*creation.parent)) continue;
    Hit hit = hit_at(creation.line, to_string(*creation.parent), to_string(*listed.begin()));
    hit.says = fmt::format("the types were read of {}, and the device is made on {}",
                           to_string(*listed.begin()), to_string(*creation.parent));
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits mdev_none_left(const LintScope& scope) {
  const auto made = creations(scope);
  if (made.empty()) return {};
  constexpr std::string_view label = "Available instances:";
  int first = 0;
  for (int line = 1; line < made.front().line; ++line) {
    const std::string text = numbered_line(scope.pieces, line);
    const auto at = text.find(label);
    if (at == std::string::npos) continue;
    if (text::trim(std::string_view(text).substr(at + label.size())) != "0") return {};
    if (first == 0) first = line;
  }
  if (first == 0) return {};
  return {hit_at(first, std::string(text::trim(numbered_line(scope.pieces, first))))};
}

Hits sriov_manage_order(const LintScope& scope) {
  int mode = 0;
  for (std::size_t i = 0; i < scope.pieces.lines.size(); ++i) {
    const std::string& line = scope.pieces.lines[i];
    const bool sets = line.find("nvidia-smi vgpu") != std::string::npos &&
                      (line.find("-shm") != std::string::npos ||
                       line.find("--set-vgpu-heterogeneous-mode") != std::string::npos);
    if (sets && mode == 0) mode = static_cast<int>(i) + 1;
    const bool enables = line.find("sriov-manage -e") != std::string::npos;
    if (enables && mode != 0) {
      return {hit_at(mode, std::string(text::trim(numbered_line(scope.pieces, mode))))};
    }
  }
  return {};
}

Hits gvt_not_enabled(const LintScope& scope) {
  if (scope.pieces.mentions("enable_gvt")) return {};
  const auto parameter = scope.host.kernel.parameters.find("i915.enable_gvt");
  const bool on = parameter != scope.host.kernel.parameters.end() && parameter->second == "Y";
  if (on || scope.pieces.kind != TextKind::guide) return {};
  for (const Creation& made : creations(scope)) {
    if (made.type.starts_with("i915-GVTg")) return {hit_at(made.line, made.type)};
  }
  return {};
}

Hits migration_version(const LintScope& scope) {
  Hits hits;
  for (std::size_t i = 0; i < scope.pieces.lines.size(); ++i) {
    if (scope.pieces.lines[i].find("migration_version") == std::string::npos) continue;
    hits.push_back(hit_at(static_cast<int>(i) + 1, "migration_version"));
  }
  return hits;
}

Hits license_server(const LintScope& scope) {
  Hits hits;
  if (!scope.pieces.mentions("license server") && !scope.pieces.mentions("licence server")) {
    return hits;
  }
  for (std::size_t i = 0; i < scope.pieces.lines.size(); ++i) {
    const std::string& line = scope.pieces.lines[i];
    const auto at = line.find("tomcat");
    if (at == std::string::npos) continue;
    hits.push_back(
        hit_at(static_cast<int>(i) + 1, line.substr(at, line.find_first_of(" \t,/", at) - at)));
  }
  return hits;
}

}  // namespace tessera::plan::linting
