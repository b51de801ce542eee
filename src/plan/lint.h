// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/host.h"

/// The doctor's knowledge over texts that people have: settings files, command lines, guides.
/// docs/lint.md has a row for each rule.
namespace tessera::plan {

namespace linting {
struct Pieces;
}

/// What a text is; it decides which pieces are looked for in it.
enum class TextKind {
  kernel_command_line,
  grub,         ///< GRUB's default file
  modprobe,     ///< a file of modprobe.d
  module_list,  ///< /etc/modules, modules-load.d, initramfs-tools/modules
  shell,        ///< commands
  qemu,         ///< one QEMU command, or some of its options
  libvirt_xml,  ///< a domain, or some of its elements
  guide,        ///< prose with pieces of all of the above
};
std::string_view to_string(TextKind kind);
/// The names that to_string() gives. Errors: invalid.
Result<TextKind> parse_text_kind(std::string_view name);
const std::vector<TextKind>& all_text_kinds();

/// By the name where the name decides ("/etc/modprobe.d/vfio.conf", "vm.xml", "notes.md"), else by
/// the text; `guide` where nothing else fits, as a guide is looked at for pieces of every kind.
TextKind recognize_text(std::string_view text, std::string_view name);

enum class LintVerdict {
  wrong,      ///< it is refused, or does something else than what is meant
  obsolete,   ///< it was needed once; today there is something better, or no need
  dangerous,  ///< it works, and opens the host or takes more than what is meant
  no_op,      ///< it changes nothing here
};
std::string_view to_string(LintVerdict verdict);

/// One mistake in a text.
struct Hit {
  std::string id;  ///< the rule's
  LintVerdict verdict = LintVerdict::wrong;
  std::string path;  ///< as the text was named
  int line = 0;      ///< from 1
  int column = 0;    ///< from 1, in bytes; 0 where what was seen is not one stretch of the line
  std::string seen;  ///< what is wrong, as it stands in the text
  std::string says;  ///< what is the matter, in one line
  std::string why;
  std::string right;  ///< the right form, to be copied where it can be
};

/// What a rule looks at.
struct LintScope {
  const linting::Pieces& pieces;
  const model::HostSnapshot& host;
};

/// One known mistake. A rule that depends on the host says only what the snapshot proves: what a
/// recording does not hold makes no hit, or one that says on which hosts it is true.
struct LintRule {
  std::string_view id;  ///< kebab-case, stable
  LintVerdict verdict = LintVerdict::wrong;
  std::string_view says;  ///< what is the matter; for --list-rules too
  std::string_view why;
  std::string_view right;
  std::string_view source;  ///< where the rule can be read, or how it was measured
  /// Returns a hit for each place. What it leaves empty (says, why, right) is taken from here; a
  /// verdict of its own goes with a `why` of its own.
  std::vector<Hit> (*look)(const LintScope& scope) = nullptr;
};

/// Every rule, by family; docs/lint.md has them in the same order.
const std::vector<LintRule>& all_lint_rules();

/// The hits in a text, by line. `name` is what the hits call the text; `kind` as recognize_text()
/// finds it where none is given.
std::vector<Hit> lint(std::string_view text, std::string_view name, std::optional<TextKind> kind,
                      const model::HostSnapshot& host);

}  // namespace tessera::plan
