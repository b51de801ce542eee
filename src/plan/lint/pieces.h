// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/settings.h"
#include "plan/lint.h"
#include "plan/lint/qemu_line.h"
#include "plan/lint/words.h"
#include "plan/lint/xml.h"

/// A text taken apart into pieces that rules look at. Which text a piece stood in does not matter
/// to a rule: a kernel argument is one in a GRUB file, in /etc/kernel/cmdline and in a guide.
namespace tessera::plan::linting {

/// Kernel arguments that stand together, or the words of a sentence that names some.
struct KernelWords {
  std::vector<Word> words;
  bool prose = false;
};

/// An assignment of GRUB's default file.
struct GrubLine {
  int line = 0;
  std::string name;    ///< "GRUB_CMDLINE_LINUX"
  std::string before;  ///< what stands between the name and the '=' (nothing, where it is right)
  std::string value;   ///< as written, with its quotes
  bool prose = false;  ///< named in a sentence; the value may be anything
};

/// What a command writes into a file: "echo VALUE > PATH", "echo VALUE | sudo tee PATH".
struct FileWrite {
  int line = 0;
  std::string value;
  std::string path;
  bool as_user = false;  ///< "sudo echo VALUE > PATH": the shell opens PATH, without sudo
};

/// A sentence of a guide, in lower case, on the line where it begins.
struct Sentence {
  int line = 0;
  std::string text;
  std::string as_written;
};

struct Pieces {
  TextKind kind = TextKind::guide;
  std::string name;
  std::vector<std::string> raw;  ///< lines as written
  std::vector<std::string>
      lines;  ///< with plain signs, and (guides) without Markdown's backslashes
  std::vector<KernelWords> kernel;
  std::vector<GrubLine> grub;
  std::vector<model::SettingsLine> modprobe;
  std::vector<model::SettingsLine> modules;
  std::vector<Command> commands;
  std::vector<FileWrite> writes;
  std::vector<QemuCommand> qemu;
  std::vector<XmlPiece> xml;
  std::vector<Sentence> sentences;
  std::set<int> machine_lines;  ///< those that a program reads

  /// Whether any line contains `words` (lower case; the line is looked at in lower case).
  [[nodiscard]] bool mentions(std::string_view words) const;
  /// The number of the first line that contains `words`, in the case as written; 0 if none does.
  [[nodiscard]] int first_line_with(std::string_view words) const;
};

Pieces collect_pieces(std::string_view text, std::string_view name, TextKind kind);

// Used by collect_pieces(), one for each group of kinds.
void collect_settings(std::string_view text, Pieces& pieces);
void collect_commands(std::string_view text, int first_line, Pieces& pieces);
void collect_guide(Pieces& pieces);

/// Adds what `value`, written to `path`, says: modprobe lines, modules, GRUB's variables.
void collect_written(const FileWrite& write, Pieces& pieces);
/// Adds the arguments of one kernel command line.
void collect_kernel_line(std::string_view value, int line, Pieces& pieces);
/// Adds a GRUB assignment, and the kernel arguments in it.
void collect_grub_line(std::string_view text, int line, Pieces& pieces);

}  // namespace tessera::plan::linting
