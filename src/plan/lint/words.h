// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Texts cut into lines, words and commands, as far as rules need it.
namespace tessera::plan::linting {

/// A word and the line that it begins on, from 1.
struct Word {
  std::string text;
  int line = 0;
  bool operator==(const Word&) const = default;
};

/// Signs that word processors put in the place of others: curly quotes, long dashes, blanks that do
/// not part words. No program takes them for what they stand for.
bool has_typographic_sign(std::string_view text);

/// `text` with typographic signs replaced by what they stand for.
std::string plain_signs(std::string_view text);

/// Like plain_signs(), but each sign becomes as many bytes as it had (blanks fill up), so that
/// places in the text stay where they are. For XML, where blanks around a value do not matter.
std::string plain_signs_in_place(std::string_view text);

/// One simple command of a shell: its words without quotes, and the file its output goes to.
struct Command {
  int line = 0;
  std::vector<Word> words;  ///< assignments before the command too; never empty
  std::string writes_to;    ///< of ">" or ">>"; empty when there is none
  bool piped = false;       ///< the next command reads its output
  std::string here_marker;  ///< of "<<WORD"; its lines are not words
  std::string here_text;    ///< those lines
  int here_line = 0;        ///< line of the first of them
};

/// Cuts a shell text into commands: at newlines, ";", "&&", "||", "|", "(" and ")". Quotes and
/// backslashes are those of a POSIX shell; where `one_line_quotes`, a quote that does not end on
/// its line is a letter (an apostrophe in prose). Never fails: what is no shell makes odd commands.
std::vector<Command> shell_commands(std::string_view text, int first_line, bool one_line_quotes);

/// The last part of a path, "qemu-kvm" of "/usr/libexec/qemu-kvm".
std::string_view base_name(std::string_view path);

/// `text` in lower case (ASCII).
std::string lower(std::string_view text);

}  // namespace tessera::plan::linting
