// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/system.h"

namespace tessera::model {

// Reading the settings files that decide what a kernel loads, and how. Nothing here fails: the
// files are people's, their tools skip what they do not understand, and so do we.

/// One line of a settings file that says something, in words.
struct SettingsLine {
  std::string path;
  int number = 0;                  ///< of its first line, from 1
  std::string text;                ///< as written, continuation lines joined by a blank
  std::vector<std::string> words;  ///< split at white space; comments are gone
};

/// The lines of a modprobe.d file (modprobe.d(5)): "options vfio-pci ids=...", "blacklist nouveau".
/// A backslash at a line's end joins the next one; '#' starts a comment at a line's beginning only.
std::vector<SettingsLine> modprobe_lines(const SettingsFile& file);

/// The modules of a list, one on each line with its parameters: /etc/modules, modules-load.d(5),
/// /etc/initramfs-tools/modules. '#' and ';' start comments.
std::vector<SettingsLine> listed_modules(const SettingsFile& file);

/// The assignments of a file that a shell reads (GRUB's default, mkinitcpio.conf, dracut.conf): the
/// words are the name with its operator ("GRUB_CMDLINE_LINUX=", "add_drivers+=") and the value
/// without its quotes or brackets.
std::vector<SettingsLine> assignments(const SettingsFile& file);

/// The arguments of a kernel command line; blanks inside double quotes do not part them.
std::vector<std::string> kernel_arguments(std::string_view command_line);

/// The value of the last `name=value` among `arguments`, where '-' and '_' in names are one ("" of
/// an argument without a value); nothing when it is not there.
std::optional<std::string> argument_value(const std::vector<std::string>& arguments,
                                          std::string_view name);

/// A module's name as the kernel spells it: '_' for '-'.
std::string module_name(std::string_view name);

/// What kind of settings a file holds, by its path; `folder` ones by their folder.
enum class SettingsKind {
  modprobe,
  module_list,
  initramfs_modules,
  grub,
  dracut,
  mkinitcpio,
  kernel_command_line,
  other
};
SettingsKind settings_kind(std::string_view path);

/// Every modprobe line of the host, in the order in which modprobe reads the files.
std::vector<SettingsLine> all_modprobe_lines(const std::vector<SettingsFile>& files);

}  // namespace tessera::model
