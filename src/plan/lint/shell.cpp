// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
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

bool has_commands(TextKind kind) {
  return kind == TextKind::guide || kind == TextKind::shell;
}

bool is_word_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '/' ||
         c == '.' || c == '}';
}

/// The lines of a text with commands that contain `needle`, and where.
struct Found {
  int line = 0;
  std::size_t at = 0;
  const std::string* text = nullptr;
};
std::vector<Found> lines_with(const LintScope& scope, std::string_view needle) {
  std::vector<Found> found;
  if (!has_commands(scope.pieces.kind)) return found;
  for (std::size_t i = 0; i < scope.pieces.lines.size(); ++i) {
    const std::string& line = scope.pieces.lines[i];
    const auto at = line.find(needle);
    if (at != std::string::npos) found.push_back({static_cast<int>(i) + 1, at, &line});
  }
  return found;
}

/// Whether a command can begin after `before`: nothing, a prompt, "sudo", or the end of another.
bool begins_command(std::string_view before) {
  before = text::trim(before);
  return before.empty() || before.ends_with('$') || before.ends_with('#') ||
         before.ends_with(';') || before.ends_with('&') || before.ends_with("sudo") ||
         before.ends_with("do");
}

std::string_view word_at(std::string_view line, std::size_t at) {
  std::string_view word = line.substr(at, line.find_first_of(" 	\"'`);,", at) - at);
  while (word.ends_with(':') || word.ends_with('.')) word.remove_suffix(1);
  return word;
}

/// The one card of a host that a search for "3D" finds.
bool only_3d_card(const model::HostSnapshot& host) {
  if (!lists_every_device(host) || host.cards.size() != 1) return false;
  const model::PciFunction* function = host.function(host.cards[0].address);
  return function && model::sub_class(function->class_code.value_or(0)) == 0x0302;
}

bool is_pci_path(std::string_view path) {
  return path.find("/bus/pci/") != std::string_view::npos;
}

/// Addresses that commands of the text take from their driver or give to a VFIO driver.
std::set<PciAddress> bound_addresses(const LintScope& scope) {
  std::set<PciAddress> bound;
  for (const FileWrite& write : scope.pieces.writes) {
    const auto file = base_name(write.path);
    const bool binds = file == "unbind" || write.path.ends_with("/vfio-pci/bind");
    if (binds && is_pci_path(write.path)) {
      if (auto address = model::parse_pci_address(text::trim(write.value))) bound.insert(*address);
    }
    if (file != "driver_override") continue;
    for (auto part : text::split(write.path, '/')) {
      if (auto address = model::parse_pci_address(part)) bound.insert(*address);
    }
  }
  return bound;
}

}  // namespace

Hits sysfs_no_slash(const LintScope& scope) {
  Hits hits;
  for (const std::string& root :
       {std::string(files::pci_devices.substr(1, 8)), std::string(files::iommu_units.substr(1, 10)),
        std::string(files::iommu_groups.substr(1, 11))}) {
    for (const Found& found : lines_with(scope, root)) {
      if (found.at > 0 && is_word_letter((*found.text)[found.at - 1])) continue;
      const std::string seen(word_at(*found.text, found.at));
      hits.push_back(hit_at(found.line, seen, "/" + seen));
    }
  }
  return hits;
}

Hits uuidgen_spelling(const LintScope& scope) {
  Hits hits;
  for (std::string_view spelling : {"uuid-gen", "uuid_gen", "uuid gen "}) {
    for (const Found& found : lines_with(scope, spelling)) {
      hits.push_back(hit_at(found.line, std::string(text::trim(spelling)), "uuidgen"));
    }
  }
  return hits;
}

Hits lspci_3d(const LintScope& scope) {
  Hits hits;
  if (only_3d_card(scope.host)) return hits;
  for (const Found& found : lines_with(scope, "lspci")) {
    const std::string_view rest = std::string_view(*found.text).substr(found.at);
    const auto filter = std::min(rest.find("grep"), rest.find("awk"));
    if (filter == std::string_view::npos || rest.find("3D", filter) == std::string_view::npos) {
      continue;
    }
    hits.push_back(hit_at(found.line, std::string(text::trim(rest))));
  }
  return hits;
}

Hits echo_glued(const LintScope& scope) {
  Hits hits;
  for (std::string_view start : {"echo\"", "echo'"}) {
    for (const Found& found : lines_with(scope, start)) {
      if (!begins_command(std::string_view(*found.text).substr(0, found.at))) continue;
      const std::string seen(text::trim(std::string_view(*found.text).substr(found.at)));
      const auto end = seen.find(start.back(), start.size());
      if (end == std::string::npos) continue;
      const auto after = text::trim(std::string_view(seen).substr(end + 1));
      const bool done = after.empty() || std::string_view(">|;&").contains(after.front());
      if (done) hits.push_back(hit_at(found.line, seen, "echo " + seen.substr(4)));
    }
  }
  return hits;
}

Hits sudo_redirection(const LintScope& scope) {
  Hits hits;
  for (const FileWrite& write : scope.pieces.writes) {
    if (!write.as_user) continue;
    hits.push_back(hit_at(write.line, write.path,
                          fmt::format("echo \"{}\" | sudo tee {}", write.value, write.path)));
  }
  return hits;
}

Hits unbind_alone(const LintScope& scope) {
  Hits hits;
  for (std::string_view cure :
       {"driver_override", "new_id", "drivers_probe", "/bind", "ids=", "driverctl", "/remove"}) {
    if (scope.pieces.mentions(cure)) return hits;
  }
  for (const FileWrite& write : scope.pieces.writes) {
    const bool from_host = base_name(write.path) == "unbind" && is_pci_path(write.path) &&
                           write.path.find("/vfio-pci/") == std::string::npos;
    if (from_host) hits.push_back(hit_at(write.line, write.path));
  }
  return hits;
}

Hits override_without_probe(const LintScope& scope) {
  Hits hits;
  for (std::string_view cure : {"drivers_probe", "/bind", "modprobe ", "rescan", "driverctl"}) {
    if (scope.pieces.mentions(cure)) return hits;
  }
  for (const FileWrite& write : scope.pieces.writes) {
    const bool sets =
        base_name(write.path) == "driver_override" && text::trim(write.value).starts_with("vfio");
    if (sets) hits.push_back(hit_at(write.line, write.path));
  }
  return hits;
}

Hits virsh_in_hook(const LintScope& scope) {
  Hits hits;
  const Pieces& pieces = scope.pieces;
  const int named = pieces.first_line_with("libvirt/hooks/");
  const bool hook = pieces.name.find("libvirt/hooks/") != std::string::npos ||
                    (named > 0 && named <= 3 && pieces.kind == TextKind::shell);
  if (!hook) return hits;
  for (const Command& command : pieces.commands) {
    for (const Word& word : command.words) {
      if (base_name(word.text) != "virsh") continue;
      hits.push_back(hit_at(word.line, word.text));
      break;
    }
  }
  return hits;
}

Hits kernel_rebuild(const LintScope& scope) {
  Hits hits;
  const auto built = scope.host.kernel.option("CONFIG_VFIO_PCI_VGA");
  if (built == "n") return hits;
  for (const Found& found : lines_with(scope, "CONFIG_VFIO_PCI_VGA=y")) {
    if (text::trim(*found.text) != "CONFIG_VFIO_PCI_VGA=y") continue;
    Hit hit = hit_at(found.line, std::string(text::trim(*found.text)));
    if (built == "y") {
      hit.verdict = LintVerdict::no_op;
      hit.why = "This host's kernel is built with it.";
    }
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits pci_address_form(const LintScope& scope) {
  Hits hits;
  for (const Found& found : lines_with(scope, "PCI")) {
    for (auto word : text::words(*found.text)) {
      while (!word.empty() && (word.back() == ',' || word.back() == ')')) word.remove_suffix(1);
      const bool dotted = word.size() == 7 && word[2] == '.' && word[5] == '.';
      if (!dotted) continue;
      std::string right(word);
      right[2] = ':';
      if (!model::parse_pci_address(right)) continue;
      hits.push_back(hit_at(found.line, std::string(word), right));
    }
  }
  return hits;
}

Hits bound_other_device(const LintScope& scope) {
  Hits hits;
  const auto bound = bound_addresses(scope);
  if (bound.empty()) return hits;
  std::set<PciAddress> told;
  for (const GivenDevice& device : given_devices(scope.pieces)) {
    if (bound.contains(device.address) || !told.insert(device.address).second) continue;
    Hit hit = hit_at(device.line, device.seen, fmt::format("{}", to_string(*bound.begin())));
    hit.says = fmt::format("the machine gets {}, and the text binds {} to vfio-pci",
                           to_string(device.address), to_string(*bound.begin()));
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits listing_before_binding(const LintScope& scope) {
  const Pieces& pieces = scope.pieces;
  const std::string in_use = "Kernel driver in use: vfio-pci";
  const int listed = pieces.first_line_with(in_use);
  int bound = 0;
  const auto earliest = [&](int line) { bound = bound == 0 ? line : std::min(bound, line); };
  for (const model::SettingsLine& line : pieces.modprobe) {
    if (line.text.find("ids=") != std::string::npos) earliest(line.number);
  }
  for (const FileWrite& write : pieces.writes) {
    const auto file = base_name(write.path);
    if (file == "new_id" || file == "driver_override") earliest(write.line);
  }
  if (listed == 0 || bound == 0 || listed > bound) return {};
  Hit hit = hit_at(listed, in_use);
  hit.says = fmt::format("the listing shows vfio-pci, which is set up on line {} only", bound);
  return {hit};
}

}  // namespace tessera::plan::linting
