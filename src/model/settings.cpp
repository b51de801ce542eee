// SPDX-License-Identifier: Apache-2.0
#include "model/settings.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace tessera::model {

namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (auto word : text::words(line)) words.emplace_back(word);
  return words;
}

/// A file's lines with those that end in a backslash joined to the next, and the first one's
/// number.
std::vector<std::pair<int, std::string>> joined_lines(std::string_view text) {
  std::vector<std::pair<int, std::string>> joined;
  bool continues = false;
  int number = 0;
  for (auto line : text::lines(text)) {
    ++number;
    const bool more = line.ends_with('\\');
    if (more) line.remove_suffix(1);
    if (continues) {
      joined.back().second += " " + std::string(text::trim(line));
    } else {
      joined.emplace_back(number, std::string(text::trim(line)));
    }
    continues = more;
  }
  return joined;
}

std::string unquoted(std::string_view value) {
  value = text::trim(value);
  const bool quoted = value.size() >= 2 && ((value.front() == '"' && value.back() == '"') ||
                                            (value.front() == '\'' && value.back() == '\'') ||
                                            (value.front() == '(' && value.back() == ')'));
  return std::string(quoted ? value.substr(1, value.size() - 2) : value);
}

bool is_shell_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool same_argument(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return x == y || ((x == '-' || x == '_') && (y == '-' || y == '_'));
  });
}

}  // namespace

std::vector<SettingsLine> modprobe_lines(const SettingsFile& file) {
  std::vector<SettingsLine> lines;
  for (auto& [number, text] : joined_lines(file.text)) {
    if (text.empty() || text.starts_with('#')) continue;
    auto words = words_of(text);
    lines.push_back({file.path, number, std::move(text), std::move(words)});
  }
  return lines;
}

std::vector<SettingsLine> listed_modules(const SettingsFile& file) {
  std::vector<SettingsLine> lines;
  int number = 0;
  for (auto line : text::lines(file.text)) {
    ++number;
    if (text::trim(line).starts_with(';')) continue;
    auto words = words_of(line.substr(0, line.find('#')));
    if (words.empty()) continue;
    lines.push_back({file.path, number, std::string(text::trim(line)), std::move(words)});
  }
  return lines;
}

std::vector<SettingsLine> assignments(const SettingsFile& file) {
  std::vector<SettingsLine> lines;
  for (auto& [number, text] : joined_lines(file.text)) {
    const auto equals = text.find('=');
    if (text.starts_with('#') || equals == std::string::npos || equals == 0) continue;
    const bool adds = text[equals - 1] == '+';
    std::string name = text.substr(0, equals - (adds ? 1 : 0));
    if (name.starts_with("export ")) name.erase(0, 7);
    if (!is_shell_name(name)) continue;
    std::vector<std::string> words = {name + (adds ? "+=" : "="),
                                      unquoted(std::string_view(text).substr(equals + 1))};
    lines.push_back({file.path, number, std::move(text), std::move(words)});
  }
  return lines;
}

std::vector<std::string> kernel_arguments(std::string_view command_line) {
  std::vector<std::string> arguments;
  std::string current;
  bool quoted = false;
  for (char c : command_line) {
    if (c == '"') quoted = !quoted;
    const bool parts = !quoted && (c == ' ' || c == '\t' || c == '\n');
    if (!parts) {
      if (c != '"') current += c;
    } else if (!current.empty()) {
      arguments.push_back(std::exchange(current, {}));
    }
  }
  if (!current.empty()) arguments.push_back(std::move(current));
  return arguments;
}

std::optional<std::string> argument_value(const std::vector<std::string>& arguments,
                                          std::string_view name) {
  std::optional<std::string> value;
  for (const std::string& argument : arguments) {
    const auto equals = std::min(argument.find('='), argument.size());
    if (!same_argument(std::string_view(argument).substr(0, equals), name)) continue;
    value = argument.substr(std::min(equals + 1, argument.size()));
  }
  return value;
}

std::string module_name(std::string_view name) {
  std::string spelled(name);
  std::ranges::replace(spelled, '-', '_');
  return spelled;
}

SettingsKind settings_kind(std::string_view path) {
  const auto has = [&](std::string_view piece) {
    return path.find(piece) != std::string_view::npos;
  };
  if (has("/modprobe.d/")) return SettingsKind::modprobe;
  if (has("initramfs-tools/modules")) return SettingsKind::initramfs_modules;
  if (has("/modules-load.d/") || path.ends_with("/modules")) return SettingsKind::module_list;
  if (has("/default/grub")) return SettingsKind::grub;
  if (has("dracut.conf")) return SettingsKind::dracut;
  if (has("mkinitcpio.conf")) return SettingsKind::mkinitcpio;
  if (path.ends_with("/kernel/cmdline")) return SettingsKind::kernel_command_line;
  return SettingsKind::other;
}

std::vector<SettingsLine> all_modprobe_lines(const std::vector<SettingsFile>& files) {
  std::vector<SettingsLine> all;
  for (const auto& file : files) {
    if (settings_kind(file.path) != SettingsKind::modprobe) continue;
    auto lines = modprobe_lines(file);
    all.insert(all.end(), std::move_iterator(lines.begin()), std::move_iterator(lines.end()));
  }
  return all;
}

}  // namespace tessera::model
