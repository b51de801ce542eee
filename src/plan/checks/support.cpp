// SPDX-License-Identifier: Apache-2.0
#include "plan/checks/support.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"

namespace tessera::plan::checks {

using model::Evidence;
using model::Finding;
using model::HostSnapshot;

namespace files = kernel::files;

Platform platform_of(const HostSnapshot& host) {
  const model::PciFunction* bridge = host.function({});
  if (!bridge || !bridge->vendor.has_value()) return Platform::other;
  switch (bridge->vendor.value()) {
    case 0x8086:
      return Platform::intel;
    case 0x1022:
      return Platform::amd;
    default:
      return Platform::other;
  }
}

std::vector<Evidence> log_evidence(const HostSnapshot& host,
                                   const std::vector<std::string_view>& needles,
                                   std::size_t limit) {
  std::vector<Evidence> found;
  for (const std::string& line : host.kernel_log) {
    if (found.size() == limit) break;
    bool fits = std::ranges::any_of(
        needles, [&](std::string_view needle) { return line.find(needle) != std::string::npos; });
    if (fits) found.push_back({"kernel log", text::printable(line)});
  }
  return found;
}

bool on_command_line(const HostSnapshot& host, std::string_view word) {
  if (!host.kernel.command_line.has_value()) return false;
  return std::ranges::count(text::words(host.kernel.command_line.value()), word) > 0;
}

std::vector<Evidence> command_line_evidence(const HostSnapshot& host) {
  if (!host.kernel.command_line.has_value()) return {};
  return {{std::string(files::proc_cmdline),
           text::printable(text::trim(host.kernel.command_line.value()))}};
}

Finding not_readable(std::string path, const std::string& why, std::string_view what) {
  Finding finding;
  finding.severity = model::Severity::note;
  finding.title = fmt::format("{} could not be read ({})", what, why);
  finding.evidence = {{std::move(path), why}};
  finding.cause = "The file is there, but may not be read by this user.";
  finding.consequence = "This check decided nothing.";
  finding.fix = "Run the doctor as root.";
  finding.command = "sudo tessera doctor";
  return finding;
}

Evidence seen_in(const model::PciFunction& function, std::string_view file, std::string text) {
  return {files::pci_device(model::to_string(function.address), file), std::move(text)};
}

std::vector<Evidence> log_evidence_about(const HostSnapshot& host,
                                         const model::PciFunction& function,
                                         const std::vector<std::string_view>& needles) {
  const std::string name = model::to_string(function.address);
  std::vector<Evidence> found;
  for (Evidence& line : log_evidence(host, needles, host.kernel_log.size())) {
    if (line.text.find(name) != std::string::npos) found.push_back(std::move(line));
  }
  return found;
}

bool runs_machine(const HostSnapshot& host, int pid, std::string_view process) {
  constexpr std::string_view names[] = {"qemu", "cloud-hyperviso", "crosvm"};
  return host.machine(pid) != nullptr ||
         std::ranges::any_of(names, [&](auto name) { return process.starts_with(name); });
}

std::string machine_words(const HostSnapshot& host, int pid, std::string_view process) {
  const model::RunningMachine* const machine = host.machine(pid);
  if (machine == nullptr || machine->name.empty()) {
    return fmt::format("the machine of {} (pid {})", text::printable(process), pid);
  }
  return fmt::format("machine {} ({}, pid {})", text::printable(machine->name),
                     text::printable(process), pid);
}

std::vector<const model::PciFunction*> slice_parents(const HostSnapshot& host,
                                                     const model::Card& card) {
  std::vector<const model::PciFunction*> parents = functions_of(host, card);
  for (const model::PciFunction& function : host.functions) {
    bool ours = function.physical_function && card.has(*function.physical_function);
    bool listed = std::ranges::find(parents, &function) != parents.end();
    if (ours && !listed) parents.push_back(&function);
  }
  return parents;
}

bool module_is_missing(const HostSnapshot& host, std::string_view name) {
  return host.kernel.modules.has_value() && !host.kernel.has_module(name);
}

Evidence option_evidence(const HostSnapshot& host, std::string_view option) {
  const auto value = host.kernel.option(option);
  return {host.kernel.config_path, value == "n" ? fmt::format("# {} is not set", option)
                                                : fmt::format("{}={}", option, value)};
}

bool is_display(const model::PciFunction& function) {
  return function.class_code.has_value() && model::base_class(function.class_code.value()) == 0x03;
}

void append(std::vector<Evidence>& to, std::vector<Evidence> more) {
  std::ranges::move(more, std::back_inserter(to));
}

}  // namespace tessera::plan::checks
