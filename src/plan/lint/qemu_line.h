// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/lint/words.h"

namespace tessera::plan::linting {

/// An option of QEMU and what was given to it.
struct QemuOption {
  int line = 0;
  std::string name;    ///< without its dashes: "device"
  std::string value;   ///< the whole word after it; empty where it takes none
  std::string driver;  ///< what stands before the first comma, where it has no '='
  std::vector<std::pair<std::string, std::string>> properties;  ///< "host" and "01:00.0"
  bool known = true;

  /// A property's last value; nothing when it is not there.
  [[nodiscard]] std::optional<std::string> property(std::string_view key) const;
  [[nodiscard]] bool is_on(std::string_view key) const;
};

/// Two words that a blank keeps apart and that belong together ("2," and "sockets=1").
struct CutValue {
  int line = 0;
  std::string before;
  std::string after;
};

/// One QEMU command, or some options of one.
struct QemuCommand {
  int line = 0;
  bool whole = false;  ///< the program is named; otherwise there may be more options elsewhere
  std::vector<Word> environment;  ///< assignments before the program
  std::vector<QemuOption> options;
  std::vector<CutValue> cut_values;  ///< values that end with a comma; joined in `options`
  std::vector<Word> lone_dashes;     ///< a dash and its option's name with a blank between
  std::vector<Word> broken_lines;    ///< lines that lack the backslash that would go on

  [[nodiscard]] std::vector<const QemuOption*> all(std::string_view name) const;
  /// Devices with this driver, or whose driver starts with it where it ends with '*'.
  [[nodiscard]] std::vector<const QemuOption*> devices(std::string_view driver) const;
};

/// How QEMU takes the options it knows (7.2 to 9.0), and those it knew once.
enum class QemuArgument { none, one, unknown };
QemuArgument qemu_argument(std::string_view option);
/// Names to choose "did you mean" from.
std::vector<std::string> qemu_options();
/// What replaced an option that QEMU has no more; empty for others.
std::string_view qemu_replacement(std::string_view option);

/// Whether a command's word names QEMU: "qemu-system-x86_64", "/usr/libexec/qemu-kvm", "kvm".
bool is_qemu_program(std::string_view word);

/// Reads words as QEMU would, and notes where it would take them for something else than what is
/// meant. Words before the program that are assignments go to `environment`.
QemuCommand read_qemu_words(const std::vector<Word>& words);

}  // namespace tessera::plan::linting
