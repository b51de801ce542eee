// SPDX-License-Identifier: Apache-2.0
#include "probe/scrub.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "base/uuid.h"
#include "kernel/files.h"
#include "probe/pci.h"

namespace tessera::probe {

namespace files = kernel::files;

namespace {

constexpr std::size_t uuid_size = 36;
constexpr std::size_t mac_size = 17;
constexpr std::size_t machine_id_size = 32;

/// Names of files that hold nothing but a serial number.
constexpr std::string_view serial_files[] = {"board_serial", "chassis_serial", "product_serial",
                                             "product_uuid", "serial",         "serial_number",
                                             "serial_no",    "unique_id",      "machine-id"};

/// Words of the kernel command line whose value says where something of the owner's is. One that
/// ends in a dot stands for all that start so.
constexpr std::string_view telling_keys[] = {"BOOTIF",
                                             "bootdev",
                                             "cryptdevice",
                                             "cryptkey",
                                             "hostname",
                                             "ifname",
                                             "inst.",
                                             "ip",
                                             "iscsi_",
                                             "ks",
                                             "luks.",
                                             "nameserver",
                                             "netroot",
                                             "nfsaddrs",
                                             "nfsroot",
                                             "rd.iscsi.",
                                             "rd.luks.",
                                             "rd.lvm.",
                                             "rd.md.",
                                             "rd.net.",
                                             "resume",
                                             "root",
                                             "systemd.hostname",
                                             "systemd.machine_id",
                                             "url",
                                             "vlan",
                                             "zfs"};

bool is_hex(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

char at(std::string_view text, std::size_t i) {
  return i < text.size() ? text[i] : '\0';
}
char before(std::string_view text, std::size_t i) {
  return i > 0 ? text[i - 1] : '\0';
}

bool is_uuid_at(std::string_view text, std::size_t i) {
  return !is_alnum(before(text, i)) && is_uuid(text.substr(i, uuid_size)) &&
         !is_alnum(at(text, i + uuid_size));
}

bool is_mac_at(std::string_view text, std::size_t i) {
  if (text.size() < i + mac_size || is_alnum(before(text, i)) || before(text, i) == ':') {
    return false;
  }
  for (std::size_t k = 0; k < mac_size; ++k) {
    if (k % 3 == 2 ? text[i + k] != ':' : !is_hex(text[i + k])) return false;
  }
  return !is_alnum(at(text, i + mac_size)) && at(text, i + mac_size) != ':';
}

bool is_machine_id_at(std::string_view text, std::size_t i) {
  if (is_alnum(before(text, i)) || text.size() < i + machine_id_size) return false;
  return std::ranges::all_of(text.substr(i, machine_id_size), is_hex) &&
         !is_alnum(at(text, i + machine_id_size));
}

/// The length of an IPv4 address that stands at `i`; 0 when none does (a version with four parts
/// has letters, a dash or more dots around it).
std::size_t ipv4_at(std::string_view text, std::size_t i) {
  if (!is_digit(at(text, i)) || is_alnum(before(text, i)) || before(text, i) == '.' ||
      before(text, i) == '-') {
    return 0;
  }
  auto end = std::min(text.find_first_not_of(".0123456789", i), text.size());
  const auto candidate = text.substr(i, end - i);
  const auto parts = text::split(candidate, '.');
  const bool octets = std::ranges::all_of(
      parts, [](std::string_view part) { return text::to_number(part).value_or(256) < 256; });
  return parts.size() == 4 && octets && !is_alnum(at(text, end)) && at(text, end) != '-'
             ? candidate.size()
             : 0;
}

bool is_whole_word(std::string_view text, std::size_t i, std::string_view word) {
  return !word.empty() && text.substr(i).starts_with(word) && !is_alnum(before(text, i)) &&
         !is_alnum(at(text, i + word.size()));
}

/// Every UUID and MAC address of a recording, and what it becomes.
class Placeholders {
 public:
  void note(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (is_uuid_at(text, i)) uuids_.emplace(lower(text.substr(i, uuid_size)), 0);
      if (is_mac_at(text, i)) macs_.emplace(lower(text.substr(i, mac_size)), 0);
    }
  }
  /// Numbers in the things' own order, so that what was sorted stays so.
  void count() {
    int next = 0;
    for (auto& [uuid, number] : uuids_) number = ++next;
    next = 0;
    for (auto& [mac, number] : macs_) number = ++next;
  }
  [[nodiscard]] std::string applied_to(std::string_view text) const {
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
      if (is_uuid_at(text, i)) {
        result += fmt::format("{:08x}-0000-4000-8000-000000000000",
                              uuids_.at(lower(text.substr(i, uuid_size))));
        i += uuid_size;
      } else if (is_mac_at(text, i)) {
        const int number = macs_.at(lower(text.substr(i, mac_size)));
        result += fmt::format("02:00:00:00:{:02x}:{:02x}", number >> 8 & 0xff, number & 0xff);
        i += mac_size;
      } else {
        result += text[i++];
      }
    }
    return result;
  }

 private:
  static std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
  }
  std::map<std::string, int> uuids_;
  std::map<std::string, int> macs_;
};

/// A variable's name ends in its owner's GUID, which is the same on every machine.
bool is_firmware_variable(std::string_view path) {
  return path.starts_with(files::efi_secure_boot.substr(0, files::efi_secure_boot.rfind('/')));
}

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_settings_file(std::string_view path) {
  return std::ranges::any_of(files::settings, [&](const files::Settings& place) {
    return path == place.path || (!place.extension.empty() && path.starts_with(place.path));
  });
}

bool is_telling(std::string_view key) {
  return std::ranges::any_of(telling_keys, [&](std::string_view known) {
    const bool start = known.ends_with('.') || known.ends_with('_');
    return start ? key.starts_with(known) : key == known;
  });
}

/// A plain partition ("/dev/sda2", "/dev/nvme0n1p3") names nothing, a volume may.
bool is_plain_device(std::string_view value) {
  constexpr auto dev = files::dev_mem_root;
  return value.starts_with(dev) && value.rfind('/') == dev.size();
}

std::string scrubbed_value(std::string_view key, std::string_view value) {
  if (!is_telling(key) || is_plain_device(value)) return std::string(value);
  // "UUID=", "luks-" and the like before a placeholder say of what kind it is.
  for (std::string_view start : {"UUID=", "PARTUUID=", "LABEL=", "PARTLABEL=", "luks-", "ZFS="}) {
    if (!value.starts_with(start)) continue;
    const auto rest = value.substr(start.size());
    return fmt::format("{}{}", start, is_uuid(rest) ? std::string(rest) : blanked(rest));
  }
  return is_uuid(value) ? std::string(value) : blanked(value);
}

/// What is looked for in the middle of other text: addresses, ids, the host's and users' names.
std::string scrubbed_text(std::string_view text, std::string_view host_name) {
  constexpr std::string_view home = "/home/";
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = ipv4_at(text, i);
    if (is_machine_id_at(text, i)) {
      length = machine_id_size;
      result += std::string(length, '0');
    } else if (length != 0) {
      result += blanked(text.substr(i, length));
    } else if (is_whole_word(text, i, host_name)) {
      result += "host";
      length = host_name.size();
    } else if (text.substr(i).starts_with(home)) {
      auto end = std::min(text.find_first_of("/ \t\"'", i + home.size()), text.size());
      result += "/home/user";
      length = end - i;
    } else {
      result += text[i];
      length = 1;
    }
    i += length;
  }
  return result;
}

std::string scrubbed_lines(std::string_view text, bool comments_too, std::string_view host_name) {
  std::string result;
  for (auto line : text::lines(text)) {
    const bool comment = comments_too && text::trim(line).starts_with('#');
    result += comment ? "#" : scrubbed_words(line, host_name);
    result += '\n';
  }
  if (!text.ends_with('\n') && !result.empty()) result.pop_back();
  return result;
}

/// /proc/PID/cmdline, of which a recording keeps the machine's name.
constexpr std::string_view anonymous_machine("-name\0guest\0", 12);

/// "machine-qemu\x2d3\x2dNAME.scope": libvirt's name of a machine's processes.
std::string without_machine_name(std::string_view cgroup) {
  constexpr std::string_view start = "machine-";
  constexpr std::string_view dash = "\\x2d";
  auto begin = cgroup.rfind(start);
  auto end = cgroup.rfind(".scope");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return std::string(cgroup);
  }
  auto name = begin + start.size();
  for (int i = 0; i < 2; ++i) {
    auto next = cgroup.find(dash, name);
    if (next < end) name = next + dash.size();
  }
  return fmt::format("{}guest{}", cgroup.substr(0, name), cgroup.substr(end));
}

/// Whether a line of nvidia-smi's says whose something is: "VM Name : ...", "<serial>...".
bool is_telling_line(std::string_view line) {
  std::string lower_case(line);
  std::ranges::transform(lower_case, lower_case.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view telling[] = {"serial", "vm name", "vm_name", "process_name",
                                          "process name"};
  return std::ranges::any_of(telling,
                             [&](auto word) { return lower_case.find(word) != std::string::npos; });
}

/// "        VM Name     : ada's" and "<serial>123</serial>" with a blanked value.
std::string without_value(std::string_view line) {
  auto begin = line.find_first_of(">:");
  if (begin == std::string_view::npos) return std::string(line);
  const auto end = line[begin] == '>' ? std::min(line.rfind('<'), line.size()) : line.size();
  if (end <= ++begin) return std::string(line);
  return fmt::format("{}{}{}", line.substr(0, begin), blanked(line.substr(begin, end - begin)),
                     line.substr(end));
}

std::string scrubbed_report(std::string_view text, std::string_view host_name) {
  std::string result;
  for (const auto line : text::lines(text)) {
    result += is_telling_line(line) ? without_value(line) : scrubbed_text(line, host_name);
    result += '\n';
  }
  if (!text.ends_with('\n') && !result.empty()) result.pop_back();
  return result;
}

std::string scrubbed_file(std::string_view path, std::string content, std::string_view host_name) {
  const auto name = name_of(path);
  if (name == "config" && path.starts_with(files::pci_devices)) {
    return without_serial_number(std::move(content));
  }
  if (std::ranges::find(serial_files, name) != std::end(serial_files)) return blanked(content);
  if (path == files::proc_cmdline) return scrubbed_lines(content, false, host_name);
  if (is_settings_file(path)) return scrubbed_lines(content, true, host_name);
  if (name == "cmdline") return std::string(anonymous_machine);
  if (name == "cgroup") return scrubbed_text(without_machine_name(content), host_name);
  return content;
}

using Texts = std::map<std::string, std::string, std::less<>>;

Texts with_placeholders(const Texts& texts, const Placeholders& placeholders) {
  Texts result;
  for (const auto& [path, text] : texts) {
    if (is_firmware_variable(path)) {
      result.emplace(path, text);
    } else {
      result.emplace(placeholders.applied_to(path), placeholders.applied_to(text));
    }
  }
  return result;
}

Placeholders placeholders_for(const kernel::Entries& entries) {
  Placeholders placeholders;
  for (const auto* texts : {&entries.files, &entries.links}) {
    for (const auto& [path, text] : *texts) {
      if (is_firmware_variable(path)) continue;
      placeholders.note(path);
      placeholders.note(text);
    }
  }
  for (const auto& path : entries.directories) placeholders.note(path);
  for (const auto& note : entries.notes) placeholders.note(note.key + "\n" + note.text);
  placeholders.count();
  return placeholders;
}

}  // namespace

std::string blanked(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (is_digit(c)) {
      c = '0';
    } else if (is_alnum(c)) {
      c = 'x';
    }
  }
  return result;
}

std::string without_serial_number(std::string bytes) {
  constexpr std::size_t first = 256;
  constexpr std::size_t serial_size = 8;
  constexpr unsigned serial_id = 0x0003;  // PCI_EXT_CAP_ID_DSN, include/uapi/linux/pci_regs.h
  const auto u8 = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::set<std::size_t> seen;
  std::size_t place = first;
  while (place >= first && place + 4 + serial_size <= bytes.size() && seen.insert(place).second) {
    const unsigned id = u8(place) | static_cast<unsigned>(u8(place + 1)) << 8;
    if (id == serial_id)
      std::fill_n(bytes.begin() + static_cast<long>(place) + 4, serial_size, '\0');
    place =
        (static_cast<std::size_t>(u8(place + 2)) | static_cast<std::size_t>(u8(place + 3)) << 8) >>
            4 &
        0xffc;
  }
  return bytes;
}

std::string scrubbed_words(std::string_view line, std::string_view host_name) {
  constexpr std::string_view separators = " \t\"'";
  std::string result;
  while (!line.empty()) {
    const auto end = std::min(line.find_first_of(separators), line.size());
    const auto word = line.substr(0, end);
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) {
      result += scrubbed_text(word, host_name);
    } else {
      const auto value = scrubbed_value(word.substr(0, equals), word.substr(equals + 1));
      result += fmt::format("{}={}", word.substr(0, equals), scrubbed_text(value, host_name));
    }
    if (end < line.size()) result += line[end];
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return result;
}

void scrub(kernel::Entries& entries, std::string_view host_name) {
  const auto placeholders = placeholders_for(entries);
  entries.files = with_placeholders(entries.files, placeholders);
  entries.links = with_placeholders(entries.links, placeholders);
  for (auto& [path, content] : entries.files) {
    content = scrubbed_file(path, std::move(content), host_name);
  }
  decltype(entries.directories) directories;
  for (const auto& path : entries.directories) directories.insert(placeholders.applied_to(path));
  entries.directories = std::move(directories);
  for (auto& note : entries.notes) {
    note.key = placeholders.applied_to(note.key);
    note.text = placeholders.applied_to(note.text);
    if (note.key == kernel::Recording::log_note) {
      note.text = scrubbed_words(note.text, host_name);
    } else if (note.key.starts_with(files::notes_of_nvidia_smi)) {
      note.text = scrubbed_report(note.text, host_name);
    }
  }
}

}  // namespace tessera::probe
