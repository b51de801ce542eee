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

void append(std::vector<Evidence>& to, std::vector<Evidence> more) {
  std::ranges::move(more, std::back_inserter(to));
}

}  // namespace tessera::plan::checks
