// SPDX-License-Identifier: Apache-2.0
// vfio-pci's ids, wherever they are written: its option, and its new_id file.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/lint/host_facts.h"
#include "plan/lint/rules.h"

namespace tessera::plan::linting {

namespace {

/// An `ids=` option and the words after it that belong to no option.
struct IdsOption {
  int line = 0;
  std::string seen;    ///< with the words that a blank cut off
  std::string value;   ///< what modprobe or the kernel takes
  bool cut = false;    ///< more ids follow after a blank
  std::string joined;  ///< all ids as they should stand
};

bool continues_ids(std::string_view previous, std::string_view word) {
  if (word.empty() || word.find('=') != std::string_view::npos) return false;
  return previous.ends_with(',') || word.starts_with(',') ||
         model::parse_device_id(word).has_value();
}

IdsOption read_option(const std::vector<std::string>& words, std::size_t at, int line) {
  IdsOption option;
  option.line = line;
  option.seen = words[at];
  option.value = words[at].substr(words[at].find('=') + 1);
  option.joined = option.value;
  for (std::size_t next = at + 1; next < words.size(); ++next) {
    if (!continues_ids(words[next - 1], words[next])) break;
    option.cut = true;
    option.seen += " " + words[next];
    const bool comma = option.joined.ends_with(',') || words[next].starts_with(',');
    option.joined += (comma ? "" : ",") + words[next];
  }
  return option;
}

std::vector<IdsOption> ids_options(const LintScope& scope) {
  std::vector<IdsOption> options;
  for (const model::SettingsLine& line : scope.pieces.modprobe) {
    if (line.words.size() < 3 || line.words[0] != "options") continue;
    if (model::module_name(line.words[1]) != "vfio_pci") continue;
    for (std::size_t i = 2; i < line.words.size(); ++i) {
      if (line.words[i].starts_with("ids=")) {
        options.push_back(read_option(line.words, i, line.number));
      }
    }
  }
  for (const KernelWords& line : scope.pieces.kernel) {
    std::vector<std::string> words;
    for (const Word& word : line.words) words.push_back(word.text);
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (model::module_name(words[i]).starts_with("vfio_pci.ids=")) {
        options.push_back(read_option(words, i, line.words[i].line));
      }
    }
  }
  return options;
}

/// Vendor, device and at most four more numbers (subvendor, subdevice, class, mask), or "ffffffff".
bool is_id_form(std::string_view entry) {
  const auto parts = text::split(entry, ':');
  if (parts.size() < 2 || parts.size() > 6) return false;
  return std::ranges::all_of(parts, [](std::string_view part) {
    return part.size() <= 8 && (part.empty() || text::to_number(part, 16).has_value());
  });
}

/// A name that stands for a number: "$ID", "<vendor>:<device>", "VVVV:DDDD".
bool is_placeholder(std::string_view entry) {
  if (entry.find('$') != std::string_view::npos || entry.find("...") != std::string_view::npos) {
    return true;
  }
  const bool named =
      entry.find_first_of("<>ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos;
  return named && entry.find(':') != std::string_view::npos;
}

/// The ids that a text makes vfio-pci take, each with its line and what was seen.
struct TakenId {
  int line = 0;
  std::string seen;
  model::DeviceId ids;
};

std::optional<model::DeviceId> new_id_of(std::string_view value) {
  std::string spelled(text::trim(value));
  std::ranges::replace(spelled, ' ', ':');
  return model::parse_device_id(spelled);
}

bool is_vfio_new_id(const FileWrite& write) {
  return write.path.ends_with("/vfio-pci/new_id");
}

std::vector<TakenId> taken_ids(const LintScope& scope) {
  std::vector<TakenId> taken;
  for (const IdsOption& option : ids_options(scope)) {
    for (auto entry : text::split(option.joined, ',')) {
      if (auto ids = model::parse_device_id(text::trim(entry))) {
        taken.push_back({option.line, std::string(text::trim(entry)), *ids});
      }
    }
  }
  for (const FileWrite& write : scope.pieces.writes) {
    if (!is_vfio_new_id(write)) continue;
    if (auto ids = new_id_of(write.value)) taken.push_back({write.line, write.value, *ids});
  }
  return taken;
}

std::size_t slots_of(const std::vector<const model::PciFunction*>& functions) {
  std::set<std::string> slots;
  for (const model::PciFunction* function : functions) {
    slots.insert(model::slot_name(function->address));
  }
  return slots.size();
}

}  // namespace

Hits ids_blank(const LintScope& scope) {
  Hits hits;
  for (const IdsOption& option : ids_options(scope)) {
    if (!option.cut) continue;
    const auto equals = option.seen.find('=');
    hits.push_back(
        hit_at(option.line, option.seen, option.seen.substr(0, equals + 1) + option.joined));
  }
  return hits;
}

Hits ids_form(const LintScope& scope) {
  Hits hits;
  for (const IdsOption& option : ids_options(scope)) {
    for (auto entry : text::split(option.value, ',')) {
      if (entry.empty() || is_id_form(entry) || is_placeholder(entry)) continue;
      hits.push_back(hit_at(option.line, option.seen));
      break;
    }
  }
  return hits;
}

Hits ids_take_twins(const LintScope& scope) {
  Hits hits;
  for (const TakenId& taken : taken_ids(scope)) {
    const auto functions = functions_with(scope.host, taken.ids);
    if (slots_of(functions) < 2) continue;
    Hit hit = hit_at(taken.line, taken.seen,
                     fmt::format("tessera assign {} --to vm", to_string(functions[0]->address)));
    hit.verdict = LintVerdict::dangerous;
    hit.why = fmt::format(
        "{} devices of this host have this id: {}. vfio-pci takes all of them, also one that the "
        "host needs.",
        functions.size(), addresses_of(functions));
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits ids_fit_nothing(const LintScope& scope) {
  Hits hits;
  if (!lists_every_device(scope.host)) return hits;
  for (const TakenId& taken : taken_ids(scope)) {
    const bool fits = std::ranges::any_of(scope.host.functions, [&](const auto& function) {
      const bool unknown = !function.vendor.has_value() || !function.device.has_value();
      return unknown || (function.vendor.value() == taken.ids.vendor &&
                         function.device.value() == taken.ids.device);
    });
    if (!fits) hits.push_back(hit_at(taken.line, taken.seen));
  }
  return hits;
}

Hits new_id_colon(const LintScope& scope) {
  Hits hits;
  for (const FileWrite& write : scope.pieces.writes) {
    const bool new_id = base_name(write.path) == "new_id" || base_name(write.path) == "remove_id";
    const auto value = text::trim(write.value);
    if (!new_id || !model::parse_device_id(value)) continue;
    std::string right(value);
    std::ranges::replace(right, ':', ' ');
    hits.push_back(
        hit_at(write.line, std::string(value), fmt::format("echo \"{}\" > {}", right, write.path)));
  }
  return hits;
}

}  // namespace tessera::plan::linting
