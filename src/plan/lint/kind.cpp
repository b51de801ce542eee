// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "kernel/files.h"
#include "model/settings.h"
#include "plan/lint.h"
#include "plan/lint/qemu_line.h"
#include "plan/lint/words.h"
#include "plan/lint/xml.h"

namespace tessera::plan {

namespace {

constexpr std::array<std::pair<TextKind, std::string_view>, 8> kind_names = {{
    {TextKind::kernel_command_line, "kernel"},
    {TextKind::grub, "grub"},
    {TextKind::modprobe, "modprobe"},
    {TextKind::module_list, "modules"},
    {TextKind::shell, "shell"},
    {TextKind::qemu, "qemu"},
    {TextKind::libvirt_xml, "xml"},
    {TextKind::guide, "guide"},
}};

std::optional<TextKind> kind_of_name(std::string_view name) {
  switch (model::settings_kind(name)) {
    case model::SettingsKind::modprobe:
      return TextKind::modprobe;
    case model::SettingsKind::module_list:
    case model::SettingsKind::initramfs_modules:
      return TextKind::module_list;
    case model::SettingsKind::grub:
      return TextKind::grub;
    case model::SettingsKind::kernel_command_line:
      return TextKind::kernel_command_line;
    case model::SettingsKind::dracut:
    case model::SettingsKind::mkinitcpio:
    case model::SettingsKind::other:
      break;
  }
  if (name.ends_with(kernel::files::proc_cmdline)) return TextKind::kernel_command_line;
  if (name.ends_with(".xml")) return TextKind::libvirt_xml;
  if (name.ends_with(".md") || name.ends_with(".rst") || name.ends_with(".adoc")) {
    return TextKind::guide;
  }
  if (name.ends_with(".sh")) return TextKind::shell;
  return std::nullopt;
}

std::vector<std::string_view> telling_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (auto line : text::lines(text)) {
    line = text::trim(line);
    if (!line.empty() && !line.starts_with('#')) lines.push_back(line);
  }
  return lines;
}

template <typename Says>
bool all_say(const std::vector<std::string_view>& lines, Says says) {
  return !lines.empty() && std::ranges::all_of(lines, says);
}

bool is_modprobe_directive(std::string_view line) {
  constexpr std::string_view directives[] = {"options", "blacklist", "softdep",
                                             "install", "remove",    "alias"};
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  const bool glued = word.starts_with("options") && line.find('=') != std::string_view::npos;
  return glued || std::ranges::find(directives, word) != std::end(directives);
}

bool is_module_word(std::string_view line) {
  return std::ranges::all_of(line, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

bool starts_qemu(std::string_view line) {
  const auto words = text::words(line);
  const bool option = words[0].size() > 1 && words[0].starts_with('-') && words[0][1] != ' ';
  if (option) return linting::qemu_argument(words[0].substr(1)) != linting::QemuArgument::unknown;
  for (std::size_t i = 0; i < words.size() && i < 4; ++i) {
    if (!linting::is_qemu_program(words[i])) continue;
    return i + 1 == words.size() || words[i + 1].starts_with('-') || words[i + 1] == "\\";
  }
  return false;
}

bool is_kernel_line(std::string_view line) {
  const auto words = text::words(line);
  const auto assigned = std::ranges::count_if(
      words, [](auto word) { return word.find('=') != std::string_view::npos; });
  return assigned * 2 >= static_cast<std::ptrdiff_t>(words.size());
}

/// A domain or a piece of one; other XML, and HTML, is none of libvirt's.
bool starts_domain(std::string_view text) {
  text = text::trim(text);
  if (!text.starts_with('<')) return false;
  if (text.starts_with("<?") || text.starts_with("<!--")) {
    return text.find("<domain") != std::string_view::npos;
  }
  const auto name = text.substr(1, text.find_first_of(" \t\n/>", 1) - 1);
  return linting::is_domain_element(name);
}

TextKind kind_of_text(std::string_view text) {
  if (starts_domain(text)) return TextKind::libvirt_xml;
  if (text.starts_with("#!")) {
    return text.substr(0, text.find('\n')).ends_with("sh") ? TextKind::shell : TextKind::guide;
  }
  const auto lines = telling_lines(text);
  if (lines.empty()) return TextKind::guide;
  if (all_say(lines, [](auto line) { return line.starts_with("GRUB_"); })) return TextKind::grub;
  if (all_say(lines, is_modprobe_directive)) return TextKind::modprobe;
  // Every line but the last goes on: one command.
  const bool one_command =
      std::ranges::all_of(lines.begin(), lines.end() - 1, [](auto l) { return l.ends_with('\\'); });
  if (one_command && starts_qemu(lines[0])) return TextKind::qemu;
  if (all_say(lines, is_module_word)) return TextKind::module_list;
  if (lines.size() == 1 && is_kernel_line(lines[0])) return TextKind::kernel_command_line;
  return TextKind::guide;
}

}  // namespace

std::string_view to_string(TextKind kind) {
  return std::ranges::find(kind_names, kind, &std::pair<TextKind, std::string_view>::first)->second;
}

Result<TextKind> parse_text_kind(std::string_view name) {
  const auto found =
      std::ranges::find(kind_names, name, &std::pair<TextKind, std::string_view>::second);
  if (found != kind_names.end()) return found->first;
  return fail(ErrorKind::invalid, std::string(name), "this is no kind of text",
              "say kernel, grub, modprobe, modules, shell, qemu, xml or guide");
}

const std::vector<TextKind>& all_text_kinds() {
  static const std::vector<TextKind> kinds = [] {
    std::vector<TextKind> all;
    for (const auto& [kind, name] : kind_names) all.push_back(kind);
    return all;
  }();
  return kinds;
}

TextKind recognize_text(std::string_view text, std::string_view name) {
  const auto by_name = kind_of_name(name);
  return by_name ? *by_name : kind_of_text(text);
}

}  // namespace tessera::plan
