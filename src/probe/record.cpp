// SPDX-License-Identifier: Apache-2.0
#include "probe/record.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fnmatch.h>

#include "base/text.h"
#include "kernel/files.h"
#include "kernel/observer.h"
#include "kernel/recording.h"
#include "probe/machines.h"
#include "probe/pci.h"
#include "probe/probe.h"
#include "probe/read.h"
#include "probe/scrub.h"
#include "probe/slices/nvidia_driver.h"
#include "probe/system.h"

namespace tessera::probe {

namespace files = kernel::files;
using kernel::Entries;
using kernel::Recording;
using model::HostSnapshot;

namespace {

/// Keeps what was seen, each path as it was asked for.
class Notebook : public kernel::Observer {
 public:
  Entries entries;
  std::map<std::string, std::vector<std::string>, std::less<>> listings;
  std::map<std::string, std::string, std::less<>> unreadable;  ///< path, the errno's name
  std::set<std::string, std::less<>> absent;

  void saw_text(std::string_view path, const Result<std::string>& text) override {
    if (text) entries.files.insert_or_assign(std::string(path), *text);
    if (!text) saw_failure(path, text.error());
  }
  void saw_link(std::string_view path, const Result<std::string>& target) override {
    if (target) entries.links.insert_or_assign(std::string(path), *target);
    if (!target) saw_failure(path, target.error());
  }
  void saw_directory(std::string_view path,
                     const Result<std::vector<std::string>>& names) override {
    if (names) {
      entries.directories.emplace(path);
      listings.insert_or_assign(std::string(path), *names);
    } else {
      saw_failure(path, names.error());
    }
  }
  void saw_entry(std::string_view path, bool is_directory) override {
    if (is_directory) {
      entries.directories.emplace(path);
    } else {
      entries.files.emplace(path, std::string());
    }
  }
  void saw_absence(std::string_view path) override { absent.emplace(path); }

 private:
  /// That a file is not there, or is of another kind, says the lack of its line.
  void saw_failure(std::string_view path, const Error& error) {
    const auto name = why_unreadable(error);
    const bool told = name.starts_with('E') && name != "ENOENT" && name != "ENOTDIR" &&
                      name != "EINVAL" && name != "EISDIR" && name != "ESRCH";
    if (told) unreadable.emplace(path, name);
  }
};

/// A root is observed as long as this lives.
class Observation {
 public:
  Observation(kernel::Root& root, kernel::Observer& observer) : root_(root) {
    root_.set_observer(&observer);
  }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;
  ~Observation() { root_.set_observer(nullptr); }

 private:
  kernel::Root& root_;
};

/// Both details: what they look at differs, and the recording has to answer either.
Result<HostSnapshot> look(kernel::Root& root, Notebook& book) {
  const Observation observation(root, book);
  TRY(take_snapshot(root, model::Detail::cards));
  return take_snapshot(root);
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/// Folders of processors have links to each other and to thousands of memory blocks, /proc has all
/// processes; none of them is looked at by its name alone.
bool names_matter_in(std::string_view folder) {
  return !is_below(folder, files::proc) && !is_below(folder, files::processors) &&
         !is_below(folder, files::memory_nodes);
}

/// Every device has them, whatever it is.
constexpr std::string_view dull_names[] = {"link", "msi_irqs", "power"};

/// Links and folders of a folder that was listed have a name that may say something ("drm",
/// "virtfn3", an mdev's UUID) though nobody looked into them. A plain file that nobody read says
/// nothing, and would be taken for an empty one.
void add_listed_names(const kernel::Root& root, Notebook& book) {
  for (const auto& [folder, names] : book.listings) {
    if (!names_matter_in(folder)) continue;
    for (const auto& name : names) {
      if (std::ranges::find(dull_names, name) != std::end(dull_names)) continue;
      auto path = fmt::format("{}/{}", folder, name);
      if (book.entries.files.contains(path) || book.entries.links.contains(path)) continue;
      if (auto target = root.read_link(path)) {
        book.entries.links.emplace(std::move(path), std::move(*target));
      } else if (root.list(path)) {
        book.entries.directories.insert(std::move(path));
      }
    }
  }
}

template <typename Paths, typename Unwanted>
void erase_paths(Paths& paths, Unwanted unwanted) {
  std::erase_if(paths, [&](const auto& entry) {
    if constexpr (requires { entry.first; }) {
      return unwanted(std::string_view(entry.first));
    } else {
      return unwanted(std::string_view(entry));
    }
  });
}

/// The process in "/proc/123/..."; nothing for other paths.
std::optional<int> process_of(std::string_view path) {
  const auto rest = path.substr(std::min(files::proc.size() + 1, path.size()));
  return path.starts_with(files::proc) ? parse_int(rest.substr(0, rest.find('/'))) : std::nullopt;
}

/// Of the processes, those that have a card open or run a machine, with the descriptors that say
/// so.
void keep_holders(const HostSnapshot& host, Notebook& book) {
  std::set<int> holders;
  std::set<std::string, std::less<>> held;
  for (const auto& holder : host.holders) {
    holders.insert(holder.pid);
    held.insert(holder.paths.begin(), holder.paths.end());
  }
  for (const auto& machine : host.machines) {
    holders.insert(machine.pid);
    held.emplace(files::kvm_machine);
  }
  const auto is_others = [&](std::string_view path) {
    const auto pid = process_of(path);
    return pid && !holders.contains(*pid);
  };
  erase_paths(book.entries.files, is_others);
  erase_paths(book.entries.directories, is_others);
  std::erase_if(book.entries.links, [&](const auto& link) {
    return process_of(link.first) && (is_others(link.first) || !held.contains(link.second));
  });
}

/// QEMU's logs hold whole command lines, and their paths name machines: a report does without.
void drop_machine_logs(Notebook& book) {
  const auto is_log = [](std::string_view path) {
    return is_below(path, files::libvirt_machine_logs) || is_below(path, files::machines_dir);
  };
  erase_paths(book.entries.files, is_log);
  erase_paths(book.entries.links, is_log);
  erase_paths(book.entries.directories, is_log);
  erase_paths(book.absent, is_log);
  erase_paths(book.unreadable, is_log);
}

/// A process that may not be looked into has one note.
void merge_hidden_processes(Notebook& book) {
  std::set<std::string> hidden;
  std::erase_if(book.unreadable, [&](const auto& entry) {
    const auto pid = process_of(entry.first);
    if (pid && entry.first.find("/fd") != std::string::npos) {
      hidden.insert(files::process(*pid, "fd"));
    }
    return pid.has_value();
  });
  for (const auto& folder : hidden) book.unreadable.emplace(folder, "EACCES");
}

// --- long files: the lines that can be used ---

template <typename Wanted>
std::string lines_where(std::string_view text, Wanted wanted) {
  std::string kept;
  for (auto line : text::lines(text)) {
    if (wanted(line)) kept += fmt::format("{}\n", line);
  }
  return kept;
}

/// The lines of modules.alias that fit a function of this host, and all of VFIO's.
std::string fitting_aliases(std::string_view text, const HostSnapshot& host) {
  std::set<std::string> modaliases;
  for (const auto& function : host.functions) modaliases.insert(function.modalias);
  return lines_where(text, [&](std::string_view line) {
    constexpr std::string_view start = "alias ";
    if (!line.starts_with(start)) return false;
    const auto words = text::words(line);
    if (words.size() != 3) return false;
    if (words[1].starts_with("vfio_pci:")) return true;
    const std::string pattern(words[1]);
    const auto fixed = words[1].substr(0, words[1].find_first_of("*?["));
    return std::ranges::any_of(modaliases, [&](const std::string& modalias) {
      return modalias.starts_with(fixed) && ::fnmatch(pattern.c_str(), modalias.c_str(), 0) == 0;
    });
  });
}

/// Of modules.dep or modules.builtin the modules that the settings name; not what they need.
std::string wanted_modules(std::string_view text, const HostSnapshot& host) {
  const auto wanted = module_names_in(host.settings);
  std::string kept;
  for (auto line : text::lines(text)) {
    const auto colon = line.find(':');
    const auto file = line.substr(0, colon);
    if (std::ranges::find(wanted, module_of_path(file)) == wanted.end()) continue;
    kept += fmt::format("{}{}\n", file, colon == std::string_view::npos ? "" : ":");
  }
  return kept;
}

std::string config_text(const model::KernelConfig& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    text +=
        value == "n" ? fmt::format("# {} is not set\n", name) : fmt::format("{}={}\n", name, value);
  }
  return text;
}

/// /proc/cpuinfo: the first processor in full, of the others what says where they are.
std::string short_cpuinfo(std::string_view text) {
  bool first = true;
  return lines_where(text, [&](std::string_view line) {
    if (text::trim(line).empty()) {
      first = false;
      return true;
    }
    const auto key = text::trim(line.substr(0, line.find(':')));
    return key == "processor" || key == "physical id" || key == "core id" ||
           (first && key != "Serial");
  });
}

/// The kernel's own addresses help nobody but an attacker.
std::string without_addresses(std::string_view modules) {
  std::string result;
  for (auto line : text::lines(modules)) {
    auto address = line.find(" 0x");
    result += line.substr(0, address);
    if (address != std::string_view::npos) result += " 0x0000000000000000";
    result += '\n';
  }
  return result;
}

std::string without_kernel_image(std::string_view iomem) {
  return lines_where(iomem, [](std::string_view line) {
    return line.find(" : Kernel ") == std::string_view::npos;
  });
}

std::string os_facts(std::string_view text) {
  return lines_where(text, [](std::string_view line) {
    const auto key = line.substr(0, line.find('='));
    return key == "ID" || key == "ID_LIKE" || key == "VERSION_ID" || key == "PRETTY_NAME";
  });
}

std::string locked_memory_limit(std::string_view limits) {
  return lines_where(limits,
                     [](std::string_view line) { return line.starts_with("Max locked memory"); });
}

/// Of a command line, which may hold a person's secrets, the machine's name.
std::string machine_words(std::string_view command_line) {
  constexpr std::string_view end("\0", 1);
  return fmt::format("-name{}guest={}{}", end, machine_name(command_line), end);
}

template <typename Shorten>
void shorten(Entries& entries, std::string_view path, Shorten shortened) {
  auto file = entries.files.find(path);
  if (file != entries.files.end()) file->second = shortened(std::string_view(file->second));
}

void shorten_long_files(const HostSnapshot& host, Entries& entries) {
  shorten(entries, files::proc_cpuinfo, short_cpuinfo);
  shorten(entries, files::proc_modules, without_addresses);
  shorten(entries, files::proc_iomem, without_kernel_image);
  shorten(entries, files::os_release, os_facts);
  shorten(entries, files::os_release_default, os_facts);
  shorten(entries, files::proc_self_limits, locked_memory_limit);
  for (const auto& machine : host.machines) {
    shorten(entries, files::process(machine.pid, "cmdline"), machine_words);
  }
  entries.files.erase(std::string(files::proc_config));
  const auto& release = host.kernel.release;
  if (!release.has_value()) return;
  const auto table = [&](std::string_view name) {
    return files::module_table(release.value(), name);
  };
  shorten(entries, table("modules.alias"),
          [&](std::string_view text) { return fitting_aliases(text, host); });
  for (auto name : {"modules.dep", "modules.builtin"}) {
    shorten(entries, table(name),
            [&](std::string_view text) { return wanted_modules(text, host); });
  }
  if (!host.kernel.config.empty()) {
    entries.files.insert_or_assign(files::boot_config(release.value()),
                                   config_text(host.kernel.config));
  }
}

// --- notes ---

void add_notes(const kernel::Root& root, const HostSnapshot& host, Notebook& book) {
  auto& notes = book.entries.notes;
  if (root.is_complete()) notes.push_back({std::string(Recording::complete_note), "yes"});
  std::map<std::string, std::string> names;
  for (const auto& function : host.functions) {
    if (!function.vendor.has_value()) continue;
    names.emplace(pci_name_note(function.vendor.value(), function.device.value_or(0)),
                  fmt::format("{}\t{}", function.vendor_name, function.device_name));
  }
  for (auto& [key, text] : names) notes.push_back({key, std::move(text)});
  std::ranges::move(slices::nvidia_reports(root, host), std::back_inserter(notes));
  for (const auto& line : host.kernel_log) {
    notes.push_back({std::string(Recording::log_note), line});
  }
  for (const auto& path : book.absent) {
    notes.push_back({fmt::format("{}{}", Recording::absent_note, path), "yes"});
  }
  for (const auto& [path, name] : book.unreadable) {
    book.entries.files.emplace(path, std::string());  // its folder lists it
    notes.push_back({fmt::format("{}{}", Recording::unreadable_note, path), name});
  }
}

/// Its name is worth taking out where it cannot be taken for a word of the kernel's.
std::string host_name(const kernel::Root& root, const HostSnapshot& host) {
  constexpr std::size_t shortest = 4;
  auto name = read_text(root, files::proc_hostname).value_or("");
  const bool is_a_word = name == "localhost" || name == "host" || host.kernel.has_module(name);
  return name.size() < shortest || is_a_word ? std::string() : name;
}

}  // namespace

Result<std::string> record_host(kernel::Root& root, Ids ids) {
  Notebook book;
  TRY_LET(const HostSnapshot host, look(root, book));
  add_listed_names(root, book);
  keep_holders(host, book);
  drop_machine_logs(book);
  merge_hidden_processes(book);
  std::erase_if(book.entries.links, [](const auto& link) {
    return is_below(link.first, files::processors) || is_below(link.first, files::memory_nodes);
  });
  shorten_long_files(host, book.entries);
  add_notes(root, host, book);
  if (ids == Ids::scrubbed) scrub(book.entries, host_name(root, host));
  return kernel::recording_text(book.entries);
}

}  // namespace tessera::probe
