// SPDX-License-Identifier: Apache-2.0
#include "probe/machines.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"

namespace tessera::probe {

namespace {

/// The values of an option list, "a,b=c" in QEMU's spelling.
std::vector<std::string> option_values(std::string_view list) {
  std::vector<std::string> values = {""};
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool doubled = list.substr(i, 2) == ",,";
    if (list[i] == ',' && !doubled) {
      values.emplace_back();
      continue;
    }
    values.back() += list[i];
    if (doubled) ++i;
  }
  return values;
}

std::string name_in(std::string_view list) {
  constexpr std::string_view key = "guest=";
  const auto values = option_values(list);
  for (const auto& value : values) {
    if (value.starts_with(key)) return value.substr(key.size());
  }
  return values.front().find('=') == std::string::npos ? values.front() : std::string();
}

/// QEMU's words for what it tells its guest (target/i386/kvm, kvm_arch_on_sigbus_vcpu), and for an
/// error in memory of its own.
bool tells_of_memory(std::string_view line) {
  return line.find("Guest MCE Memory Error at") != std::string_view::npos ||
         line.find("Hardware memory error") != std::string_view::npos;
}

void look_into(const kernel::Root& root, std::string machine, std::string path,
               std::vector<model::MachineMemoryError>& errors) {
  const auto log = root.read(path);
  if (!log) return;
  std::string_view last;
  for (const auto line : text::lines(*log)) {
    if (tells_of_memory(line)) last = line;
  }
  if (last.empty()) return;
  errors.push_back({.machine = std::move(machine),
                    .path = std::move(path),
                    .line = text::printable(text::trim(last))});
}

}  // namespace

std::vector<model::MachineMemoryError> find_memory_errors(const kernel::Root& root) {
  namespace files = kernel::files;
  constexpr std::string_view log = ".log";
  std::vector<model::MachineMemoryError> errors;
  if (const auto names = root.list(files::libvirt_machine_logs)) {
    for (const auto& name : *names) {
      if (!name.ends_with(log)) continue;
      look_into(root, name.substr(0, name.size() - log.size()),
                fmt::format("{}/{}", files::libvirt_machine_logs, name), errors);
    }
  }
  if (const auto names = root.list(files::machines_dir)) {
    for (const auto& name : *names) {
      look_into(root, name, fmt::format("{}/{}/qemu.log", files::machines_dir, name), errors);
    }
  }
  std::ranges::sort(errors, {}, &model::MachineMemoryError::machine);
  return errors;
}

std::vector<model::RunningMachine> find_machines(const kernel::Root& root,
                                                 const kernel::OpenDeviceScan& scan) {
  std::vector<model::RunningMachine> machines;
  for (const auto& process : scan.processes) {
    if (std::ranges::count(process.paths, kernel::files::kvm_machine) == 0) continue;
    const auto words = root.read(kernel::files::process(process.pid, "cmdline"));
    machines.push_back({.pid = process.pid,
                        .process = process.name,
                        .name = words ? machine_name(*words) : std::string(),
                        .unit = process.unit});
  }
  return machines;
}

std::string machine_name(std::string_view command_line) {
  const auto words = text::split(command_line, '\0');
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "-name" || words[i] == "--name") return text::printable(name_in(words[i + 1]));
  }
  return {};
}

}  // namespace tessera::probe
