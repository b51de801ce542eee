// SPDX-License-Identifier: Apache-2.0
// Finds pieces of settings, commands and XML in prose, by the shape of lines. docs/lint.md says
// which shapes.
#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/text.h"
#include "plan/lint/pieces.h"

namespace tessera::plan::linting {

namespace {

using Lines = std::vector<std::string>;

/// Commands whose name is hardly the first word of a sentence.
constexpr std::string_view sure_commands[] = {
    "sudo",   "echo",      "modprobe",   "mdevctl",           "lspci",     "virsh",
    "dmesg",  "lsmod",     "nvidia-smi", "update-initramfs",  "systemctl", "uuidgen",
    "rmmod",  "printf",    "tee",        "virt-install",      "virt-xml",  "sriov-manage",
    "insmod", "driverctl", "grubby",     "proxmox-boot-tool", "qm",        "update-grub"};
/// Commands that are words too: what follows must look like an argument.
constexpr std::string_view word_commands[] = {"find", "cat", "ls", "ll",    "grep", "awk",
                                              "cp",   "mv",  "rm", "chmod", "ln",   "for"};

/// Kernel arguments that a rule knows; a word of a sentence that begins so is taken for one.
constexpr std::string_view kernel_arguments_known[] = {"amd_iommu",
                                                       "intel_iommu",
                                                       "iommu",
                                                       "pcie_acs_override",
                                                       "video=efifb",
                                                       "video=vesafb",
                                                       "video=simplefb",
                                                       "rd.driver.pre",
                                                       "i915.enable_hd_vgaarb",
                                                       "i915.enable_gvt",
                                                       "vfio_iommu_type1.allow_unsafe_interrupts",
                                                       "vfio-pci.ids",
                                                       "vfio_pci.ids",
                                                       "initcall_blacklist",
                                                       "kvm.ignore_msrs",
                                                       "vfio.enable_unsafe_noiommu_mode",
                                                       "vfio_pci.disable_vga",
                                                       "vfio-pci.disable_vga",
                                                       "modprobe.blacklist"};

/// Words by which a sentence speaks against what it names.
constexpr std::string_view denials[] = {
    " not ",     "n't ",     " never ",  " no longer ",  " nothing",  " avoid ",  " wrong",
    " obsolete", " ignored", " removed", " instead of ", " without ", " no need", " needless"};

std::string_view first_word(std::string_view line) {
  line = text::trim(line);
  return line.substr(0, line.find_first_of(" \t"));
}

/// A line without the prompt of a shell; nothing where it has none.
std::optional<std::string_view> after_prompt(std::string_view line) {
  line = text::trim(line);
  if (line.starts_with("$ ")) return line.substr(2);
  for (std::string_view prompt : {"]# ", "]$ ", ":~# ", ":~$ "}) {
    const auto at = line.find(prompt);
    const auto user = line.find('@');
    if (at != std::string_view::npos && user != std::string_view::npos && user < at && at < 60) {
      return line.substr(at + prompt.size());
    }
  }
  return std::nullopt;
}

bool looks_like_argument(std::string_view word) {
  return word.find_first_of("-/\"'$._:*0123456789") != std::string_view::npos;
}

bool is_one_of(std::string_view word, std::span<const std::string_view> list) {
  return std::ranges::find(list, word) != list.end();
}

bool is_command(std::string_view line) {
  auto words = text::words(line);
  if (words.empty()) return false;
  const auto name = base_name(words[0]);
  if (name.starts_with("echo\"") || name.starts_with("echo'")) return true;
  if (is_one_of(name, sure_commands)) return words.size() > 1 || words[0] == "uuidgen";
  if (name == "for") return line.find("; do") != std::string_view::npos;
  return is_one_of(name, word_commands) && words.size() > 1 && looks_like_argument(words[1]);
}

/// A command line in `line`, without prompt; empty where there is none. One that stands in a
/// sentence is found for the programs that nobody names otherwise.
std::string_view command_in(std::string_view line) {
  if (auto typed = after_prompt(line)) return *typed;
  if (is_command(text::trim(line))) return text::trim(line);
  for (std::string_view action : {"mdevctl start ", "mdevctl define ", "mdevctl modify "}) {
    const auto at = line.find(action);
    if (at != std::string_view::npos) return line.substr(at);
  }
  return {};
}

bool is_module_name(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// "options MODULE NAME=VALUE", "blacklist MODULE", "softdep MODULE pre: ...", and the same with
/// the blank after the first word missing.
bool is_modprobe_line(std::string_view line) {
  const auto words = text::words(line);
  if (words.empty()) return false;
  const bool glued = words[0].starts_with("options") && words[0].size() > 7 &&
                     line.find('=') != std::string_view::npos;
  if (glued && words[0][7] != '=' && is_module_name(words[0].substr(0, words[0].find('=')))) {
    return true;
  }
  if (words[0] == "options") {
    return words.size() > 2 && is_module_name(words[1]) && line.find('=') != std::string_view::npos;
  }
  if (words[0] == "blacklist") return words.size() == 2 && is_module_name(words[1]);
  if (words[0] == "softdep") {
    return words.size() > 2 && (words[2].starts_with("pre") || words[2].starts_with("post"));
  }
  return false;
}

/// Where an XML piece begins in a line; npos where none does.
std::size_t xml_start(std::string_view line) {
  const auto domain = line.find("<domain type=");
  if (domain != std::string_view::npos) return domain;
  const auto at = line.find_first_not_of(" \t");
  if (at == std::string_view::npos || line[at] != '<') return std::string_view::npos;
  std::string_view name = line.substr(at + 1);
  name = name.substr(0, name.find_first_of(" \t/>"));
  return is_domain_element(name) ? at : std::string_view::npos;
}

bool goes_on_in_xml(std::string_view line) {
  line = text::trim(line);
  return line.starts_with('<') || line.starts_with("[...]") || line.starts_with("...");
}

/// Whether QEMU's options are meant: the line starts with one, and names something of ours.
bool starts_with_qemu_option(std::string_view line) {
  line = text::trim(line);
  if (line.size() < 2 || line[0] != '-' || line[1] < 'a' || line[1] > 'z') return false;
  const auto words = text::words(line);
  if (words.size() < 2) return false;
  constexpr std::string_view telling[] = {"-device", "-display", "-vga",    "-netdev",
                                          "-drive",  "-machine", "-object", "-monitor"};
  const bool named =
      std::ranges::any_of(words, [&](std::string_view word) { return is_one_of(word, telling); });
  const bool ours =
      line.find("vfio") != std::string_view::npos || line.find("mdev") != std::string_view::npos;
  const bool of_value = words[1].find_first_of("=,/") != std::string_view::npos;
  return (named || ours) && of_value;
}

bool starts_qemu_command(std::string_view line) {
  const auto words = text::words(line);
  if (words.empty()) return false;
  if (words[0].starts_with("QEMU_AUDIO_")) return true;
  for (std::size_t i = 0; i + 1 < words.size() && i < 4; ++i) {
    if (is_qemu_program(words[i])) return words[i + 1].starts_with('-') || words[i + 1] == "\\";
  }
  return false;
}

/// "modprobe. blacklist": a kernel argument that a blank has cut; the dot ends no sentence.
bool has_torn_blacklist(std::string_view line) {
  return lower(line).find("modprobe. blacklist") != std::string::npos;
}

bool ends_with_backslash(std::string_view line) {
  return text::trim(line).ends_with('\\');
}

class GuideReader {
 public:
  explicit GuideReader(Pieces& pieces) : pieces_(pieces), lines_(pieces.lines) {}

  void read() {
    while (at_ < lines_.size()) {
      const std::string& line = lines_[at_];
      if (text::trim(line).starts_with("```")) {
        fenced_ = !fenced_;
        ++at_;
      } else if (const auto start = xml_start(line); start != std::string_view::npos) {
        read_sentences(line.substr(0, start), false);
        read_xml_piece(start);
      } else if (starts_qemu_command(command_or(line)) || starts_with_qemu_option(line)) {
        read_qemu_piece();
      } else {
        read_line();
      }
    }
  }

 private:
  static std::string_view command_or(std::string_view line) {
    const auto typed = after_prompt(line);
    return typed ? *typed : text::trim(line);
  }

  [[nodiscard]] int number() const { return static_cast<int>(at_) + 1; }

  void read_xml_piece(std::size_t start) {
    const int first = number();
    std::string text = pieces_.raw[at_].substr(
                           std::min(pieces_.raw[at_].find('<', start), pieces_.raw[at_].size())) +
                       '\n';
    pieces_.machine_lines.insert(number());
    std::size_t end = at_ + 1;
    for (std::size_t next = end; next < lines_.size(); ++next) {
      const auto trimmed = text::trim(lines_[next]);
      if (trimmed.empty()) continue;
      if (!goes_on_in_xml(trimmed)) break;
      for (; end <= next; ++end) text += pieces_.raw[end] + '\n';
      pieces_.machine_lines.insert(static_cast<int>(next) + 1);
    }
    pieces_.xml.push_back(read_xml(text, first));
    at_ = end;
  }

  /// Whether the line after `at` belongs to the same QEMU command though no backslash says so.
  [[nodiscard]] bool broken_line_goes_on(std::size_t at, bool whole) const {
    if (at + 1 >= lines_.size()) return false;
    const auto next = text::trim(lines_[at + 1]);
    if (next.empty() || next.starts_with("```")) return false;
    if (next.starts_with("- -") || next.starts_with("- device")) return whole;
    if (next.size() > 1 && next[0] == '-' && next[1] >= 'a' && next[1] <= 'z') return true;
    const auto this_line = text::trim(lines_[at]);
    const auto last_words = text::words(this_line);
    const bool waits = !last_words.empty() && last_words.back().starts_with('-');
    return whole && (waits || this_line.ends_with(',') || ends_with_backslash(next));
  }

  void read_qemu_piece() {
    const bool whole = starts_qemu_command(command_or(lines_[at_]));
    const int first = number();
    std::vector<Word> broken;
    std::string text(command_or(lines_[at_]));
    pieces_.machine_lines.insert(number());
    while (at_ + 1 < lines_.size()) {
      const bool goes_on = ends_with_backslash(lines_[at_]) &&
                           !text::trim(lines_[at_ + 1]).empty() &&
                           !text::trim(lines_[at_ + 1]).starts_with("```");
      if (!goes_on && !broken_line_goes_on(at_, whole)) break;
      if (!goes_on) {
        const auto last = text::words(lines_[at_]).back();
        broken.push_back({std::string(last), number()});
        text += is_torn(last) ? "" : " ";
        text += is_torn(last) ? torn_mark : "\\";
      }
      ++at_;
      pieces_.machine_lines.insert(number());
      text += '\n' + std::string(text::trim(lines_[at_]));
    }
    add_qemu(text, first, whole, std::move(broken));
    ++at_;
  }

  /// Whether a line was cut inside a word: it ends in the middle of a list of options.
  [[nodiscard]] bool is_torn(std::string_view last_word) const {
    if (last_word.starts_with('-')) return false;
    const auto next = text::trim(lines_[at_ + 1]);
    return !next.starts_with('-') && last_word.find(',') != std::string_view::npos;
  }

  static constexpr std::string_view torn_mark = "\x01";

  void add_qemu(const std::string& text, int first, bool whole, std::vector<Word> broken) {
    std::vector<Word> words;
    bool torn = false;
    // A word cut at the end of a line is put together again; its line is that of its beginning.
    for (auto& command : shell_commands(text, first, true)) {
      for (Word& word : command.words) {
        const bool tears = word.text.ends_with(torn_mark);
        if (tears) word.text.pop_back();
        if (torn && !words.empty()) {
          words.back().text += word.text;
        } else {
          words.push_back(std::move(word));
        }
        torn = tears;
      }
    }
    QemuCommand command = read_qemu_words(words);
    command.whole = command.whole || whole;
    if (command.whole) command.broken_lines = std::move(broken);
    pieces_.qemu.push_back(std::move(command));
  }

  void read_line() {
    const int first = number();
    const std::string& line = lines_[at_];
    const auto command = command_in(line);
    if (!command.empty()) {
      read_command(std::string(command), first);
      return;
    }
    const auto trimmed = text::trim(line);
    if (is_modprobe_line(trimmed)) {
      const model::SettingsFile file{pieces_.name, std::string(trimmed)};
      for (auto& found : model::modprobe_lines(file)) {
        found.number = first;
        pieces_.modprobe.push_back(std::move(found));
      }
      pieces_.machine_lines.insert(first);
    } else if (first_word(trimmed) == "vfio_virqfd" || first_word(trimmed) == "vfio-virqfd") {
      pieces_.modules.push_back(
          {pieces_.name, first, std::string(trimmed), {std::string(first_word(trimmed))}});
    }
    read_grub(line);
    read_sentences(line, fenced_ || has_torn_blacklist(line));
    ++at_;
  }

  void read_command(std::string text, int first) {
    pieces_.machine_lines.insert(first);
    while (text.ends_with('\\') && at_ + 1 < lines_.size()) {
      ++at_;
      pieces_.machine_lines.insert(number());
      text += '\n' + std::string(text::trim(lines_[at_]));
    }
    const bool opens_here = text.find("<<") != std::string::npos;
    if (opens_here) take_here_lines(text);
    read_sentences(lines_[static_cast<std::size_t>(first) - 1], true);
    collect_commands(text, first, pieces_);
    ++at_;
  }

  /// Adds the lines of a here-document to the command, if its end is found.
  void take_here_lines(std::string& text) {
    const auto commands = shell_commands(text, 1, true);
    const auto found = std::ranges::find_if(
        commands, [](const Command& command) { return !command.here_marker.empty(); });
    if (found == commands.end()) return;
    std::string more;
    for (std::size_t next = at_ + 1; next < lines_.size(); ++next) {
      more += '\n' + lines_[next];
      if (text::trim(lines_[next]) != found->here_marker) continue;
      for (std::size_t line = at_ + 1; line <= next; ++line) {
        pieces_.machine_lines.insert(static_cast<int>(line) + 1);
      }
      text += more;
      at_ = next;
      return;
    }
  }

  void read_grub(const std::string& line) {
    constexpr std::string_view start = "GRUB_CMDLINE";
    const auto at = line.find(start);
    if (at == std::string::npos) return;
    const auto end = line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", at);
    GrubLine found;
    found.line = number();
    found.name = line.substr(at, end == std::string::npos ? end : end - at);
    const bool assigned = end != std::string::npos && line[end] == '=';
    const bool quoted =
        at > 0 && (line[at - 1] == '"' || line[at - 1] == '\'' || line[at - 1] == '`');
    found.prose = !assigned || quoted;
    if (assigned) found.value = text::trim(std::string_view(line).substr(end + 1));
    if (!found.prose) pieces_.machine_lines.insert(number());
    pieces_.grub.push_back(std::move(found));
  }

  void read_sentences(std::string_view line, bool code) {
    constexpr std::string_view end = ". ";
    while (!text::trim(line).empty()) {
      const auto stop = code ? std::string_view::npos : line.find(end);
      const auto sentence = line.substr(0, stop);
      pieces_.sentences.push_back({number(), lower(sentence), std::string(text::trim(sentence))});
      read_kernel_words(sentence, code);
      line = stop == std::string_view::npos ? std::string_view() : line.substr(stop + end.size());
    }
  }

  static std::string_view bare(std::string_view word) {
    constexpr std::string_view around = "\"'`()[]{}*;:!?";
    const auto first = word.find_first_not_of(around);
    if (first == std::string_view::npos) return {};
    word = word.substr(first, word.find_last_not_of(around) - first + 1);
    while (word.ends_with('.') || word.ends_with(',')) word.remove_suffix(1);
    return word;
  }

  void read_kernel_words(std::string_view sentence, bool code) {
    const std::string spoken = lower(sentence);
    const bool denied = !code && std::ranges::any_of(denials, [&](std::string_view denial) {
      return spoken.find(denial) != std::string::npos;
    });
    if (denied) return;
    KernelWords found;
    found.prose = true;
    bool any = false;
    for (auto word : text::words(sentence)) {
      // GRUB_CMDLINE_LINUX="iommu=pt quiet": the first argument sticks to the variable.
      const auto variable = word.find("GRUB_CMDLINE");
      const auto equals = word.find('=');
      if (variable != std::string_view::npos && equals != std::string_view::npos) {
        word.remove_prefix(equals + 1);
      }
      word = bare(word);
      if (word.empty()) continue;
      any = any || std::ranges::any_of(kernel_arguments_known, [&](std::string_view known) {
              return word.starts_with(known) &&
                     (word.size() == known.size() || word[known.size()] == '=' ||
                      known.find('=') != std::string_view::npos);
            });
      found.words.push_back({std::string(word), number()});
    }
    if (any || has_torn_blacklist(sentence)) pieces_.kernel.push_back(std::move(found));
  }

  Pieces& pieces_;
  const Lines& lines_;
  std::size_t at_ = 0;
  bool fenced_ = false;
};

}  // namespace

void collect_guide(Pieces& pieces) {
  GuideReader(pieces).read();
}

}  // namespace tessera::plan::linting
