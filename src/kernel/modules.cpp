// SPDX-License-Identifier: Apache-2.0
#include "kernel/modules.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <memory>

#include <fmt/format.h>
#include <fnmatch.h>

#include "base/text.h"
#include "kernel/files.h"
#include "kernel/kmod_library.h"

namespace tessera::kernel {

namespace {

constexpr std::string_view pci_prefix = "pci:";
constexpr std::string_view vfio_prefix = "vfio_pci:";
constexpr Milliseconds control_file_patience = std::chrono::seconds(30);

/// The kernel's own spelling: '_' for '-'.
std::string kernel_spelling(std::string_view name) {
  std::string spelled(name);
  std::replace(spelled.begin(), spelled.end(), '-', '_');
  return spelled;
}

Status check_name(std::string_view name) {
  bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  if (good) return {};
  return fail(ErrorKind::invalid, text::printable(name),
              "a module's name has only letters, digits, '_' and '-'");
}

// --- libkmod ---

using Context = std::unique_ptr<kmod_ctx, decltype(&::kmod_unref)>;
using Module = std::unique_ptr<kmod_module, decltype(&::kmod_module_unref)>;
using ModuleList = std::unique_ptr<kmod_list, decltype(&::kmod_module_unref_list)>;

void log_nothing(void*, int, const char*, int, const char*, const char*, va_list) {}

Result<Context> open_kmod(const KmodLibrary& kmod, std::string_view name) {
  Context context(kmod.kmod_new(nullptr, nullptr), kmod.kmod_unref);
  if (!context) {
    return fail(ErrorKind::io, std::string(name), "libkmod cannot read the kernel's module tables");
  }
  // Our errors say it, stderr stays clean.
  kmod.kmod_set_log_fn(context.get(), log_nothing, nullptr);
  return context;
}

std::unexpected<Error> no_such_module(std::string_view name) {
  return fail(ErrorKind::not_found, std::string(name), "this kernel has no module of that name",
              fmt::format("`modprobe --dry-run --verbose {}` shows what is looked for", name));
}

Error load_error(int error_number, std::string_view name) {
  auto error = error_from_errno(error_number, name, "load");
  if (error_number == EKEYREJECTED || error_number == ENOKEY) error.kind = ErrorKind::denied;
  if (error_number == ENOEXEC) error.kind = ErrorKind::unsupported;
  error.hint = error.kind == ErrorKind::denied
                   ? "be root; under Secure Boot the module must be signed"
                   : "`dmesg` may say why";
  return error;
}

Status load_live(const std::string& name) {
  TRY_LET(const KmodLibrary kmod, open_kmod_library());
  TRY_LET(const Context context, open_kmod(kmod, name));
  kmod_list* found = nullptr;
  int problem = kmod.kmod_module_new_from_lookup(context.get(), name.c_str(), &found);
  const ModuleList list(found, kmod.kmod_module_unref_list);
  if (problem < 0 && problem != -ENOENT) return fail(load_error(-problem, name));
  if (!list) return no_such_module(name);
  for (kmod_list* item = list.get(); item != nullptr;
       item = kmod.kmod_list_next(list.get(), item)) {
    const Module module(kmod.kmod_module_get_module(item), kmod.kmod_module_unref);
    problem = kmod.kmod_module_probe_insert_module(
        module.get(), KMOD_PROBE_APPLY_BLACKLIST_ALIAS_ONLY, nullptr, nullptr, nullptr, nullptr);
    if (problem == -ENOENT) return no_such_module(name);
    if (problem < 0 && problem != -EEXIST) return fail(load_error(-problem, name));
  }
  return {};
}

Status unload_live(const std::string& name) {
  TRY_LET(const KmodLibrary kmod, open_kmod_library());
  TRY_LET(const Context context, open_kmod(kmod, name));
  kmod_module* found = nullptr;
  int problem = kmod.kmod_module_new_from_name(context.get(), name.c_str(), &found);
  const Module module(found, kmod.kmod_module_unref);
  if (problem < 0) return fail(error_from_errno(-problem, name, "look up"));
  int state = kmod.kmod_module_get_initstate(module.get());
  if (state == KMOD_MODULE_BUILTIN) {
    return fail(ErrorKind::unsupported, name, "it is built into the kernel and cannot be removed");
  }
  if (state < 0) return fail(ErrorKind::not_found, name, "it is not loaded");
  problem = kmod.kmod_module_remove_module(module.get(), KMOD_REMOVE_NOLOG);
  if (problem == -EAGAIN || problem == -EBUSY) {
    return fail(ErrorKind::busy, name,
                fmt::format("the module is in use ({})", errno_name(-problem)),
                fmt::format("`lsmod | grep {}` shows by whom", name));
  }
  if (problem < 0) return fail(error_from_errno(-problem, name, "remove"));
  return {};
}

Status ask_rehearsal(const Root& root, std::string_view verb, const std::string& name) {
  if (root.kind() != Root::Kind::directory || !root.exists(files::rehearsal_modprobe)) {
    return fail(
        ErrorKind::unsupported, name,
        fmt::format("{} has no running kernel: its modules cannot be changed", root.location()));
  }
  auto asked = root.write(files::rehearsal_modprobe, fmt::format("{} {}\n", verb, name),
                          Deadline::in(control_file_patience));
  if (asked) return {};
  Error error = asked.error();
  if (error.kind == ErrorKind::not_found) return no_such_module(name);
  error.subject = name;
  return fail(std::move(error));
}

/// A device that a driver of this module is bound to; empty when none. Bound devices do not count
/// in a module's reference count (measured: rmmod takes the driver away under them and leaves them
/// without one), so they have to be looked for.
std::string bound_device(const Root& root, const std::string& module_name) {
  const auto drivers = files::module(module_name, "drivers");
  auto names = root.list(drivers);
  if (!names) return {};
  for (const auto& name : *names) {
    auto entries = root.list(fmt::format("{}/{}", drivers, name));
    if (!entries) continue;
    for (const auto& entry : *entries) {
      const bool link = root.read_link(fmt::format("{}/{}/{}", drivers, name, entry)).has_value();
      if (link && entry != "module") return entry;
    }
  }
  return {};
}

}  // namespace

std::vector<ModuleAlias> parse_modules_alias(std::string_view text,
                                             std::span<const std::string> starts) {
  constexpr std::string_view keyword = "alias ";
  std::vector<ModuleAlias> found;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(keyword)) continue;
    const auto pattern = line.substr(keyword.size());
    if (std::ranges::none_of(starts, [&](auto& start) { return pattern.starts_with(start); })) {
      continue;
    }
    auto words = text::words(line);
    if (words.size() != 3) continue;
    found.push_back({.pattern = std::string(words[1]), .module = std::string(words[2])});
  }
  return found;
}

std::string best_vfio_module(const std::vector<ModuleAlias>& aliases, std::string_view modalias) {
  modalias = text::trim(modalias);
  if (!modalias.starts_with(pci_prefix)) return {};
  const std::string device(modalias.substr(pci_prefix.size()));
  const ModuleAlias* best = nullptr;
  std::ptrdiff_t best_wildcards = 0;
  for (const auto& alias : aliases) {
    if (!alias.pattern.starts_with(vfio_prefix)) continue;
    if (::fnmatch(alias.pattern.c_str() + vfio_prefix.size(), device.c_str(), 0) != 0) continue;
    auto wildcards = std::count(alias.pattern.begin(), alias.pattern.end(), '*');
    if (best != nullptr && wildcards >= best_wildcards) continue;
    best = &alias;
    best_wildcards = wildcards;
  }
  return best != nullptr ? best->module : std::string();
}

bool module_present(const Root& root, std::string_view name) {
  return check_name(name) && root.exists(files::module(kernel_spelling(name)));
}

Status load_module(const Root& root, std::string_view name) {
  TRY(check_name(name));
  auto spelled = kernel_spelling(name);
  return root.kind() == Root::Kind::live ? load_live(spelled)
                                         : ask_rehearsal(root, "load", spelled);
}

Status unload_module(const Root& root, std::string_view name) {
  TRY(check_name(name));
  auto spelled = kernel_spelling(name);
  if (auto device = bound_device(root, spelled); !device.empty()) {
    return fail(ErrorKind::busy, spelled, fmt::format("its driver is bound to {}", device));
  }
  return root.kind() == Root::Kind::live ? unload_live(spelled)
                                         : ask_rehearsal(root, "unload", spelled);
}

}  // namespace tessera::kernel
