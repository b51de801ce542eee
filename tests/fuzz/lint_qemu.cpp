// SPDX-License-Identifier: Apache-2.0
// A shell text with QEMU commands: words of commands come from the text in its order and know their
// lines; options and what is noted about them come from the words.
#include <algorithm>

#include "fuzz.h"
#include "plan/lint/qemu_line.h"

using tessera::fuzz::must;
namespace linting = tessera::plan::linting;

namespace {

void check_command(const linting::Command& command, int lines) {
  must(!command.words.empty(), "a command has words");
  must(command.line == command.words.front().line, "it begins where its first word does");
  int line = 1;
  for (const auto& word : command.words) {
    must(word.line >= line && word.line <= lines, "words know their lines, in order");
    line = word.line;
  }
  must(command.here_text.empty() || !command.here_marker.empty(),
       "lines of a here-document have one");
}

void check_qemu(const std::vector<linting::Word>& words) {
  const auto read = linting::read_qemu_words(words);
  must(read.options.size() <= words.size(), "an option is made of a word at least");
  must(read.cut_values.size() < std::max<std::size_t>(words.size(), 1), "a cut is between words");
  for (const auto& option : read.options) {
    must(!option.name.empty(), "an option has a name");
    must(option.known == (linting::qemu_argument(option.name) != linting::QemuArgument::unknown),
         "known options are those of the table");
    for (const auto& [name, value] : option.properties) {
      must(option.property(name).has_value(), "a property is found by its name");
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = tessera::fuzz::text_of(data, size);
  const int lines = 1 + static_cast<int>(std::ranges::count(text, '\n'));
  std::vector<linting::Word> all;
  for (const bool one_line_quotes : {false, true}) {
    for (const auto& command : linting::shell_commands(text, 1, one_line_quotes)) {
      check_command(command, lines);
      check_qemu(command.words);
      all.insert(all.end(), command.words.begin(), command.words.end());
    }
  }
  check_qemu(all);
  return 0;
}
