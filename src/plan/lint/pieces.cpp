// SPDX-License-Identifier: Apache-2.0
#include "plan/lint/pieces.h"

#include <algorithm>

#include "base/text.h"

namespace tessera::plan::linting {

using model::SettingsFile;
using model::SettingsKind;
using model::SettingsLine;

namespace {

bool is_variable_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Whether a line of a settings file says nothing.
bool is_comment(std::string_view line) {
  line = text::trim(line);
  return line.empty() || line.starts_with('#') || line.starts_with(';');
}

void add_lines(std::vector<SettingsLine> lines, int offset, std::vector<SettingsLine>& to) {
  for (SettingsLine& line : lines) {
    line.number += offset;
    to.push_back(std::move(line));
  }
}

/// The words of an echo that are written: without its options.
std::string echoed(const std::vector<Word>& words, std::size_t first) {
  std::vector<std::string> kept;
  for (std::size_t i = first; i < words.size(); ++i) {
    const std::string& word = words[i].text;
    if (kept.empty() && (word == "-n" || word == "-e" || word == "-ne")) continue;
    kept.push_back(word);
  }
  return text::join(kept, " ");
}

/// The index of the word that is the command itself, after assignments and sudo.
std::size_t program_of(const Command& command) {
  std::size_t at = 0;
  while (at + 1 < command.words.size() &&
         (command.words[at].text == "sudo" || command.words[at].text == "then" ||
          command.words[at].text == "do")) {
    ++at;
  }
  return at;
}

/// The file that "tee" writes, empty for other commands.
std::string tee_target(const Command& command) {
  const std::size_t at = program_of(command);
  if (command.words[at].text != "tee") return {};
  for (std::size_t i = at + 1; i < command.words.size(); ++i) {
    if (!command.words[i].text.starts_with('-')) return command.words[i].text;
  }
  return {};
}

void add_write(const Command& command, const Command* next, Pieces& pieces) {
  const std::size_t at = program_of(command);
  const std::string& program = command.words[at].text;
  const std::string tee = command.piped && next ? tee_target(*next) : std::string();
  FileWrite write;
  write.line = command.line;
  write.path = !command.writes_to.empty() ? command.writes_to : tee;
  if (program == "tee") write.path = tee_target(command);
  write.as_user = at > 0 && !command.writes_to.empty() && command.words[0].text == "sudo";
  if (write.path.empty()) return;
  if (!command.here_marker.empty()) {
    write.value = command.here_text;
    write.line = command.here_line;
  } else if (program == "echo" || program == "printf") {
    write.value = echoed(command.words, at + 1);
  } else if (program.starts_with("echo")) {  // no blank after it
    write.value = program.substr(4);
  } else {
    return;
  }
  collect_written(write, pieces);
  pieces.writes.push_back(std::move(write));
}

/// Whether the words are those of a QEMU command: the program, and then an option.
bool runs_qemu(const Command& command) {
  for (std::size_t i = 0; i + 1 < command.words.size(); ++i) {
    if (is_qemu_program(command.words[i].text)) {
      return command.words[i + 1].text.starts_with('-');
    }
  }
  return false;
}

bool is_qemu_option(const Word& word) {
  return word.text.starts_with('-') &&
         qemu_argument(std::string_view(word.text).substr(1)) != QemuArgument::unknown;
}

/// Reads the QEMU command at `index`, with the options on lines that follow it and that a missing
/// backslash has made commands of their own.
void add_qemu_command(const std::vector<Command>& commands, std::size_t index, Pieces& pieces) {
  if (!runs_qemu(commands[index])) return;
  std::vector<Word> words = commands[index].words;
  std::vector<Word> broken;
  for (std::size_t next = index + 1; next < commands.size(); ++next) {
    if (!is_qemu_option(commands[next].words.front())) break;
    broken.push_back(words.back());
    words.insert(words.end(), commands[next].words.begin(), commands[next].words.end());
  }
  pieces.qemu.push_back(read_qemu_words(words));
  pieces.qemu.back().broken_lines = std::move(broken);
}

void note_machine_lines(Pieces& pieces) {
  for (std::size_t i = 0; i < pieces.raw.size(); ++i) {
    if (!is_comment(pieces.raw[i])) pieces.machine_lines.insert(static_cast<int>(i) + 1);
  }
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + '\n';
  return all;
}

std::string without_markdown_backslashes(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool escape = line[i] == '\\' && i + 1 < line.size() &&
                        std::string_view("_*[]").find(line[i + 1]) != std::string_view::npos;
    if (!escape) out += line[i];
  }
  return out;
}

void split_lines(std::string_view text, Pieces& pieces) {
  for (auto line : text::lines(text)) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    pieces.raw.emplace_back(line);
    std::string plain = plain_signs(line);
    if (pieces.kind == TextKind::guide) plain = without_markdown_backslashes(plain);
    pieces.lines.push_back(std::move(plain));
  }
}

void collect_qemu(Pieces& pieces) {
  std::vector<Word> words;
  for (Command& command : shell_commands(joined(pieces.lines), 1, false)) {
    for (Word& word : command.words) words.push_back(std::move(word));
  }
  if (!words.empty()) pieces.qemu.push_back(read_qemu_words(words));
}

}  // namespace

bool Pieces::mentions(std::string_view words) const {
  return std::ranges::any_of(
      lines, [&](const std::string& line) { return lower(line).find(words) != std::string::npos; });
}

int Pieces::first_line_with(std::string_view words) const {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find(words) != std::string::npos) return static_cast<int>(i) + 1;
  }
  return 0;
}

void collect_kernel_line(std::string_view value, int line, Pieces& pieces) {
  KernelWords words;
  for (std::string& argument : model::kernel_arguments(value)) {
    words.words.push_back({std::move(argument), line});
  }
  if (!words.words.empty()) pieces.kernel.push_back(std::move(words));
}

void collect_grub_line(std::string_view text, int line, Pieces& pieces) {
  text = text::trim(text);
  if (text.starts_with("export ")) text = text::trim(text.substr(7));
  const auto end =
      static_cast<std::size_t>(std::ranges::find_if_not(text, is_variable_letter) - text.begin());
  const auto equals = text.find('=', end);
  if (end == 0 || equals == std::string_view::npos) return;
  GrubLine found;
  found.line = line;
  found.name = text.substr(0, end);
  found.before = text.substr(end, equals - end);
  if (found.before == "+") found.before.clear();
  if (!text::trim(found.before).empty()) return;  // no assignment
  found.value = text::trim(text.substr(equals + 1));
  if (found.name.starts_with("GRUB_CMDLINE")) {
    std::string value = found.value;
    std::erase_if(value, [](char c) { return c == '"' || c == '\''; });
    collect_kernel_line(value, line, pieces);
  }
  pieces.grub.push_back(std::move(found));
}

void collect_written(const FileWrite& write, Pieces& pieces) {
  const SettingsFile file{pieces.name, write.value};
  switch (model::settings_kind(write.path)) {
    case SettingsKind::modprobe:
      add_lines(model::modprobe_lines(file), write.line - 1, pieces.modprobe);
      break;
    case SettingsKind::module_list:
    case SettingsKind::initramfs_modules:
      add_lines(model::listed_modules(file), write.line - 1, pieces.modules);
      break;
    case SettingsKind::grub: {
      int line = write.line;
      for (auto row : text::lines(write.value)) collect_grub_line(row, line++, pieces);
      break;
    }
    case SettingsKind::kernel_command_line:
      collect_kernel_line(write.value, write.line, pieces);
      break;
    case SettingsKind::dracut:
    case SettingsKind::mkinitcpio:
    case SettingsKind::other:
      break;
  }
}

void collect_settings(std::string_view text, Pieces& pieces) {
  const SettingsFile file{pieces.name, std::string(text)};
  switch (pieces.kind) {
    case TextKind::modprobe:
      pieces.modprobe = model::modprobe_lines(file);
      break;
    case TextKind::module_list:
      pieces.modules = model::listed_modules(file);
      break;
    case TextKind::grub:
      for (std::size_t i = 0; i < pieces.lines.size(); ++i) {
        if (!is_comment(pieces.lines[i])) {
          collect_grub_line(pieces.lines[i], static_cast<int>(i) + 1, pieces);
        }
      }
      break;
    case TextKind::kernel_command_line:
      for (std::size_t i = 0; i < pieces.lines.size(); ++i) {
        if (!is_comment(pieces.lines[i])) {
          collect_kernel_line(pieces.lines[i], static_cast<int>(i) + 1, pieces);
        }
      }
      break;
    default:
      break;
  }
}

void collect_commands(std::string_view text, int first_line, Pieces& pieces) {
  auto commands = shell_commands(text, first_line, pieces.kind == TextKind::guide);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Command* next = i + 1 < commands.size() ? &commands[i + 1] : nullptr;
    add_write(commands[i], next, pieces);
    add_qemu_command(commands, i, pieces);
    if (text::trim(commands[i].here_text).starts_with('<')) {
      pieces.xml.push_back(read_xml(commands[i].here_text, commands[i].here_line));
    }
  }
  std::ranges::move(commands, std::back_inserter(pieces.commands));
}

Pieces collect_pieces(std::string_view text, std::string_view name, TextKind kind) {
  Pieces pieces;
  pieces.kind = kind;
  pieces.name = name;
  split_lines(text, pieces);
  if (kind != TextKind::guide) note_machine_lines(pieces);
  switch (kind) {
    case TextKind::guide:
      collect_guide(pieces);
      break;
    case TextKind::shell:
      collect_commands(joined(pieces.lines), 1, pieces);
      break;
    case TextKind::qemu:
      collect_qemu(pieces);
      break;
    case TextKind::libvirt_xml:
      pieces.xml.push_back(read_xml(text, 1));
      break;
    default:
      collect_settings(joined(pieces.lines), pieces);
      break;
  }
  return pieces;
}

}  // namespace tessera::plan::linting
