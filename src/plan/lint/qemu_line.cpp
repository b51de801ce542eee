// SPDX-License-Identifier: Apache-2.0
#include "plan/lint/qemu_line.h"

#include <algorithm>

#include "base/text.h"

namespace tessera::plan::linting {

namespace {

constexpr std::string_view without_value[] = {
    "S",
    "async-teardown",
    "daemonize",
    "enable-kvm",
    "enable-sync-profile",
    "full-screen",
    "h",
    "help",
    "mem-prealloc",
    "no-acpi",
    "no-hpet",
    "no-reboot",
    "no-fd-bootchk",
    "no-shutdown",
    "no-user-config",
    "nodefaults",
    "nographic",
    "no-quit",
    "only-migratable",
    "portrait",
    "preconfig",
    "s",
    "singlestep",
    "snapshot",
    "usb",
    "version",
    "win2k-hack",
    "xen-attach",
    "xen-domid-restrict",
    "alt-grab",
    "ctrl-grab",
    "no-kvm",
    "no-frame",
    "curses",
    "sdl",
    "audio-help",
    "no-kvm-irqchip",
    "no-kvm-pit",
    "no-kvm-pit-reinjection",
    "rtc-td-hack",
    "enable-fips",
    "semihosting",
    "old-param",
    "one-insn-per-tb",
};
constexpr std::string_view with_value[] = {
    "D",          "L",
    "M",          "accel",
    "acpitable",  "action",
    "add-fd",     "append",
    "audio",      "audiodev",
    "bios",       "blockdev",
    "boot",       "cdrom",
    "chardev",    "chroot",
    "compat",     "cpu",
    "d",          "debugcon",
    "device",     "dfilter",
    "display",    "drive",
    "dtb",        "dump-vmstate",
    "echr",       "fda",
    "fdb",        "fsdev",
    "fw_cfg",     "g",
    "gdb",        "global",
    "hda",        "hdb",
    "hdc",        "hdd",
    "icount",     "incoming",
    "initrd",     "iscsi",
    "k",          "kernel",
    "loadvm",     "m",
    "machine",    "mem-path",
    "mon",        "monitor",
    "msg",        "mtdblock",
    "name",       "net",
    "netdev",     "nic",
    "numa",       "object",
    "option-rom", "overcommit",
    "p",          "parallel",
    "pflash",     "pidfile",
    "plugin",     "prom-env",
    "qmp",        "qmp-pretty",
    "qtest",      "qtest-log",
    "readconfig", "realtime",
    "rotate",     "rtc",
    "run-with",   "runas",
    "sandbox",    "sd",
    "seed",       "semihosting-config",
    "serial",     "set",
    "shim",       "smbios",
    "smp",        "spice",
    "tb-size",    "tpmdev",
    "trace",      "usbdevice",
    "uuid",       "vga",
    "virtfs",     "vnc",
    "watchdog",   "watchdog-action",
    "xen-domid",  "soundhw",
    "balloon",    "writeconfig",
};

/// Options that QEMU has no more, with what took their place (QEMU, docs/about/removed-features).
struct Removed {
  std::string_view name;
  std::string_view instead;
};
constexpr Removed removed[] = {
    {"soundhw", "-audiodev DRIVER,id=snd0 -device ich9-intel-hda -device hda-duplex,audiodev=snd0"},
    {"balloon", "-device virtio-balloon-pci, and not with VFIO devices"},
    {"no-kvm", "-accel tcg"},
    {"no-kvm-irqchip", "-machine kernel_irqchip=off"},
    {"no-kvm-pit", "-machine kernel_irqchip=off"},
    {"no-kvm-pit-reinjection", "-global kvm-pit.lost_tick_policy=discard"},
    {"rtc-td-hack", "-rtc driftfix=slew"},
    {"realtime", "-overcommit mem-lock=on"},
    {"writeconfig", "nothing: it is gone since QEMU 7.0"},
    {"watchdog", "-device i6300esb, with -action watchdog=..."},
    {"enable-fips", "nothing: build QEMU with a library that is certified"},
    {"no-frame", "-display sdl"},
    {"alt-grab", "-display sdl,grab-mod=lshift-lctrl-lalt"},
    {"ctrl-grab", "-display sdl,grab-mod=rctrl"},
    {"no-quit", "-display sdl,window-close=off"},
    {"sdl", "-display sdl"},
    {"curses", "-display curses"},
    {"tb-size", "-accel tcg,tb-size=N"},
};

std::string_view without_dashes(std::string_view word) {
  if (word.starts_with("--")) return word.substr(2);
  return word.starts_with('-') ? word.substr(1) : word;
}

bool looks_like_option(std::string_view word) {
  const auto name = without_dashes(word);
  const bool letter =
      !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z'));
  return word.starts_with('-') && letter;
}

bool is_assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         std::ranges::all_of(word.substr(0, equals), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

/// Pieces between commas; ",," is a comma of the value (QEMU's way).
std::vector<std::string> comma_pieces(std::string_view value) {
  std::vector<std::string> pieces(1);
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value[at] != ',') {
      pieces.back() += value[at];
    } else if (at + 1 < value.size() && value[at + 1] == ',') {
      pieces.back() += ',';
      ++at;
    } else {
      pieces.emplace_back();
    }
  }
  return pieces;
}

void read_properties(QemuOption& option) {
  bool first = true;
  for (const std::string& piece : comma_pieces(option.value)) {
    const auto equals = piece.find('=');
    if (equals != std::string::npos) {
      option.properties.emplace_back(piece.substr(0, equals), piece.substr(equals + 1));
    } else if (first) {
      option.driver = piece;
    } else if (!piece.empty()) {
      option.properties.emplace_back(piece, "on");
    }
    first = false;
  }
}

/// Goes over the words from left to right.
class Reader {
 public:
  explicit Reader(const std::vector<Word>& words) : words_(words) {}

  QemuCommand read() {
    read_start();
    while (at_ < words_.size()) {
      if (!read_lone_dash()) read_option();
    }
    return std::move(command_);
  }

 private:
  [[nodiscard]] const Word* peek(std::size_t ahead = 0) const {
    return at_ + ahead < words_.size() ? &words_[at_ + ahead] : nullptr;
  }

  void read_start() {
    if (!words_.empty()) command_.line = words_.front().line;
    while (peek() && !peek()->text.starts_with('-')) {
      const Word& word = words_[at_];
      if (is_qemu_program(word.text)) {
        command_.whole = true;
        ++at_;
        return;
      }
      if (!is_assignment(word.text)) break;  // "sudo", "exec", or a fragment
      command_.environment.push_back(word);
      ++at_;
    }
    const auto program =
        std::ranges::find_if(words_, [](const Word& word) { return is_qemu_program(word.text); });
    if (program == words_.end()) return;
    for (auto word = words_.begin(); word != program; ++word) {
      const bool seen =
          std::ranges::find(command_.environment, *word) != command_.environment.end();
      if (!seen && is_assignment(word->text)) command_.environment.push_back(*word);
    }
    command_.whole = true;
    at_ = static_cast<std::size_t>(program - words_.begin()) + 1;
  }

  /// "- device x" or " - -device x": a dash that has lost its option.
  bool read_lone_dash() {
    const Word* word = peek();
    if (text::trim(word->text) != "-") return false;
    const Word* after = peek(1);
    if (!after) {
      ++at_;
      return true;
    }
    command_.lone_dashes.push_back({"- " + after->text, word->line});
    ++at_;
    const bool named = qemu_argument(after->text) != QemuArgument::unknown;
    if (named && !after->text.starts_with('-')) read_named(after->text);
    return true;
  }

  void read_option() {
    const Word& word = words_[at_];
    if (looks_like_option(word.text)) {
      read_named(without_dashes(word.text));
    } else {
      ++at_;  // a disk image
    }
  }

  void read_named(std::string_view name) {
    QemuOption option;
    option.line = words_[at_].line;
    option.name = name;
    const QemuArgument argument = qemu_argument(name);
    option.known = argument != QemuArgument::unknown;
    ++at_;
    const Word* value = peek();
    const bool takes = argument == QemuArgument::one || (argument == QemuArgument::unknown &&
                                                         value && !value->text.starts_with('-'));
    if (takes && value) {
      option.value = value->text;
      ++at_;
      take_cut_values(option);
      read_properties(option);
    }
    command_.options.push_back(std::move(option));
  }

  void take_cut_values(QemuOption& option) {
    while (option.value.ends_with(',') && peek() && !peek()->text.starts_with('-')) {
      const Word& more = words_[at_];
      const int line_before = words_[at_ - 1].line;
      if (more.line == line_before) {
        command_.cut_values.push_back({more.line, words_[at_ - 1].text, more.text});
      }
      option.value += more.text;
      ++at_;
    }
  }

  const std::vector<Word>& words_;
  std::size_t at_ = 0;
  QemuCommand command_;
};

}  // namespace

std::optional<std::string> QemuOption::property(std::string_view key) const {
  std::optional<std::string> last;
  for (const auto& [written, text] : properties) {
    if (written == key) last = text;
  }
  return last;
}

bool QemuOption::is_on(std::string_view key) const {
  const auto set = property(key);
  return set == "on" || set == "true" || set == "yes";
}

std::vector<const QemuOption*> QemuCommand::all(std::string_view name) const {
  std::vector<const QemuOption*> found;
  for (const QemuOption& option : options) {
    if (option.name == name) found.push_back(&option);
  }
  return found;
}

std::vector<const QemuOption*> QemuCommand::devices(std::string_view driver) const {
  std::vector<const QemuOption*> found;
  const bool prefix = driver.ends_with('*');
  if (prefix) driver.remove_suffix(1);
  for (const QemuOption* option : all("device")) {
    if (prefix ? option->driver.starts_with(driver) : option->driver == driver) {
      found.push_back(option);
    }
  }
  return found;
}

QemuArgument qemu_argument(std::string_view option) {
  if (std::ranges::find(with_value, option) != std::end(with_value)) return QemuArgument::one;
  if (std::ranges::find(without_value, option) != std::end(without_value))
    return QemuArgument::none;
  return QemuArgument::unknown;
}

std::vector<std::string> qemu_options() {
  std::vector<std::string> names;
  for (auto name : with_value) names.emplace_back(name);
  for (auto name : without_value) names.emplace_back(name);
  return names;
}

std::string_view qemu_replacement(std::string_view option) {
  const auto found = std::ranges::find(removed, option, &Removed::name);
  return found == std::end(removed) ? std::string_view() : found->instead;
}

bool is_qemu_program(std::string_view word) {
  const auto name = base_name(word);
  return name == "qemu-kvm" || name == "kvm" || name == "qemu" || name.starts_with("qemu-system-");
}

QemuCommand read_qemu_words(const std::vector<Word>& words) {
  return Reader(words).read();
}

}  // namespace tessera::plan::linting
