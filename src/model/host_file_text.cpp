// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/text.h"
#include "model/host_file.h"

namespace tessera::model {

namespace {

constexpr const char* heading =
    "# Slices that this host shall have after a boot: docs/host-file.md says which keys there "
    "are.\n"
    "# `tessera define` and `tessera undefine` write here; so may you.\n";

// --- writing

void put_size(YAML::Emitter& out, const char* key, const std::optional<std::uint64_t>& bytes) {
  if (bytes) out << YAML::Key << key << YAML::Value << text::size(*bytes);
}

void put_number(YAML::Emitter& out, const char* key, const std::optional<int>& number) {
  if (number) out << YAML::Key << key << YAML::Value << *number;
}

void put_quotas(YAML::Emitter& out, const SliceQuotas& quotas) {
  if (quotas == SliceQuotas{}) return;
  out << YAML::Key << "quotas" << YAML::Value << YAML::Flow << YAML::BeginMap;
  put_size(out, "vram", quotas.vram_bytes);
  put_size(out, "ggtt", quotas.ggtt_bytes);
  put_number(out, "contexts", quotas.contexts);
  put_number(out, "doorbells", quotas.doorbells);
  put_number(out, "exec_quantum_ms", quotas.exec_quantum_ms);
  put_number(out, "preempt_timeout_us", quotas.preempt_timeout_us);
  if (!quotas.sched_priority.empty()) {
    out << YAML::Key << "sched_priority" << YAML::Value << quotas.sched_priority;
  }
  out << YAML::EndMap;
}

void put_settings(YAML::Emitter& out, const std::vector<SliceSetting>& settings) {
  if (settings.empty()) return;
  out << YAML::Key << "settings" << YAML::Value << YAML::Flow << YAML::BeginMap;
  for (const auto& [name, value] : settings) out << YAML::Key << name << YAML::Value << value;
  out << YAML::EndMap;
}

/// Its keys, a line each, without indentation.
std::string slice_lines(const HostSlice& slice) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  out << YAML::Key << "card" << YAML::Value << slice.card;
  out << YAML::Key << "framework" << YAML::Value << std::string(to_string(slice.framework));
  out << YAML::Key << "vf" << YAML::Value << slice.vf;
  if (!slice.type.empty()) out << YAML::Key << "type" << YAML::Value << slice.type;
  put_settings(out, slice.settings);
  put_quotas(out, slice.quotas);
  if (slice.start != HostSlice::Start::automatic) {
    out << YAML::Key << "start" << YAML::Value << std::string(to_string(slice.start));
  }
  out << YAML::EndMap;
  return out.c_str();
}

/// It as an item of a list whose dashes stand in column `indent`.
std::string item(const HostSlice& slice, std::size_t indent) {
  std::string out;
  const std::string keys = slice_lines(slice);
  for (const auto line : text::lines(keys)) {
    out += fmt::format("{:{}}{} {}\n", "", indent, out.empty() ? '-' : ' ', line);
  }
  return out;
}

// --- changing a text line by line

/// The lines of an item of the list of slices, from its dash on.
struct Lines {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// The last line on which something of `node` begins.
std::size_t last_line(const YAML::Node& node) {
  auto last = static_cast<std::size_t>(std::max(node.Mark().line, 0));
  if (node.IsSequence()) {
    for (const auto& one : node) last = std::max(last, last_line(one));
  } else if (node.IsMap()) {
    for (const auto& entry : node) {
      last = std::max({last, last_line(entry.first), last_line(entry.second)});
    }
  }
  return last;
}

std::vector<Lines> item_lines(std::string_view text) {
  std::vector<Lines> all;
  const YAML::Node node = YAML::Load(std::string(text));
  if (!node.IsMap()) return all;
  const YAML::Node slices = node["slices"];
  if (!slices.IsDefined() || !slices.IsSequence()) return all;
  for (const auto& one : slices) {
    all.push_back({static_cast<std::size_t>(std::max(one.Mark().line, 0)), last_line(one)});
  }
  return all;
}

/// The column of the dash that begins the line; nothing where none does.
std::optional<std::size_t> dash_column(std::string_view line) {
  const auto column = line.find_first_not_of(' ');
  const bool dash = column != std::string_view::npos && line[column] == '-';
  return dash ? std::optional(column) : std::nullopt;
}

/// Where new entries go, and how far in.
struct NewItems {
  std::size_t before_line = 0;
  std::size_t indent = 2;
  bool below_own_key = true;  ///< the key "slices:" is there already
};

/// After the last entry, after a key without entries, or at the end.
NewItems place_of_new(const std::vector<std::string_view>& lines, const std::vector<Lines>& items) {
  if (!items.empty() && items.back().last < lines.size()) {
    return {items.back().last + 1, dash_column(lines[items.front().first]).value_or(2)};
  }
  const auto key = std::ranges::find_if(lines, [](std::string_view line) {
    return line.starts_with("slices:") && text::trim(line) == "slices:";
  });
  if (key != lines.end()) return {static_cast<std::size_t>(key - lines.begin()) + 1};
  return {.before_line = lines.size(), .below_own_key = false};
}

bool has(const HostFile& host, const HostSlice& slice) {
  return std::ranges::find(host.slices, slice) != host.slices.end();
}

/// The entry of `host` for the same virtual function of the same card; null where there is none.
const HostSlice* entry_for(const HostFile& host, const HostSlice& slice) {
  const auto found = std::ranges::find_if(host.slices, [&](const HostSlice& one) {
    return one.card == slice.card && one.vf == slice.vf;
  });
  return found == host.slices.end() ? nullptr : &*found;
}

/// Entries of `now` that are not in `wanted` go with their lines, and what is wanted of the same
/// virtual function instead comes there; other new ones come after the last. The result may read
/// as something else: the caller looks.
std::string change_lines(std::string_view text, const HostFile& now, const HostFile& wanted) {
  const auto lines = text::lines(text);
  const auto items = item_lines(text);
  const NewItems place = place_of_new(lines, items);
  std::vector<bool> goes(lines.size(), false);
  std::vector<std::string> comes(lines.size() + 1);  // before each line, and at the end
  for (std::size_t i = 0; i < items.size() && i < now.slices.size(); ++i) {
    if (has(wanted, now.slices[i])) continue;
    for (auto line = items[i].first; line <= items[i].last && line < lines.size(); ++line) {
      goes[line] = true;
    }
    const HostSlice* instead = entry_for(wanted, now.slices[i]);
    if (instead != nullptr) comes.at(items[i].first) = item(*instead, place.indent);
  }
  std::string added;
  for (const auto& slice : wanted.slices) {
    if (entry_for(now, slice) == nullptr) added += item(slice, place.indent);
  }
  if (!place.below_own_key && !added.empty()) added = "slices:\n" + added;
  comes.at(place.before_line) += added;
  std::string out;
  for (std::size_t i = 0; i <= lines.size(); ++i) {
    out += comes[i];
    if (i < lines.size() && !goes[i]) out += fmt::format("{}\n", lines[i]);
  }
  return out;
}

}  // namespace

std::string to_yaml(const HostFile& host) {
  std::string out = heading;
  out += "slices:\n";
  for (const auto& slice : host.slices) out += item(slice, 2);
  return out;
}

Result<std::string> edited_host_file(std::string_view text, const HostFile& wanted,
                                     const std::string& file) {
  TRY_LET(const HostFile now, parse_host_file(text, file));
  if (now == wanted) return std::string(text);
  if (text::trim(text).empty()) return to_yaml(wanted);
  std::string changed = change_lines(text, now, wanted);
  const auto reads_as = parse_host_file(changed, file);
  if (reads_as && *reads_as == wanted) return changed;
  return to_yaml(wanted);
}

}  // namespace tessera::model
