// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/lint/host_facts.h"
#include "plan/lint/rules.h"

namespace tessera::plan::linting {

namespace {

/// The variables that GRUB's scripts read for kernels (GRUB manual, "Simple configuration").
const std::vector<std::string>& command_line_variables() {
  static const std::vector<std::string> names = {
      "GRUB_CMDLINE_LINUX",
      "GRUB_CMDLINE_LINUX_DEFAULT",
      "GRUB_CMDLINE_LINUX_RECOVERY",
      "GRUB_CMDLINE_LINUX_XEN_REPLACE",
      "GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT",
      "GRUB_CMDLINE_XEN",
      "GRUB_CMDLINE_XEN_DEFAULT",
      "GRUB_CMDLINE_NETBSD",
      "GRUB_CMDLINE_NETBSD_DEFAULT",
      "GRUB_CMDLINE_GNUMACH",
  };
  return names;
}

std::string as_assigned(const GrubLine& line) {
  return fmt::format("{}{}={}", line.name, line.before, line.value);
}

/// A value that no quote holds together, or one whose quote does not end.
bool is_open(std::string_view value) {
  char quote = '\0';
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    }
  }
  return quote != '\0';
}

bool is_torn_by_blank(std::string_view value) {
  value = text::trim(value.substr(0, value.find(" #")));
  return !value.empty() && value.front() != '"' && value.front() != '\'' && value.front() != '$' &&
         value.find_first_of(" \t") != std::string_view::npos;
}

Hits grub_hits(const LintScope& scope, LintVerdict verdict, const std::string& why,
               const std::string& right) {
  Hits hits;
  for (const GrubLine& line : scope.pieces.grub) {
    if (line.prose || !line.name.starts_with("GRUB_CMDLINE_LINUX")) continue;
    Hit hit = hit_at(line.line, line.name, right);
    hit.verdict = verdict;
    hit.why = why;
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace

Hits grub_variable(const LintScope& scope) {
  Hits hits;
  const auto& known = command_line_variables();
  for (const GrubLine& line : scope.pieces.grub) {
    if (!line.name.starts_with("GRUB_CMDLINE")) continue;
    if (std::ranges::find(known, line.name) != known.end()) continue;
    // The kernel's are meant; of those, the one that differs by a missing word comes first.
    const bool lacks_linux = line.name == "GRUB_CMDLINE_DEFAULT" || line.name == "GRUB_CMDLINE";
    const std::string right =
        lacks_linux ? "GRUB_CMDLINE_LINUX_DEFAULT" : text::nearest(line.name, known).value_or("");
    hits.push_back(hit_at(line.line, line.name, right));
  }
  return hits;
}

Hits grub_quotes(const LintScope& scope) {
  Hits hits;
  for (const GrubLine& line : scope.pieces.grub) {
    if (line.prose || line.value.ends_with('\\')) continue;
    const bool open = is_open(line.value);
    if (!open && !is_torn_by_blank(line.value)) continue;
    std::string bare = line.value;
    std::erase_if(bare, [](char c) { return c == '"' || c == '\''; });
    hits.push_back(hit_at(line.line, as_assigned(line),
                          fmt::format("{}=\"{}\"", line.name, text::trim(bare))));
  }
  return hits;
}

Hits grub_blank(const LintScope& scope) {
  Hits hits;
  for (const GrubLine& line : scope.pieces.grub) {
    if (line.prose || line.before.empty()) continue;
    hits.push_back(hit_at(line.line, line.name + line.before + "=",
                          fmt::format("{}={}", line.name, line.value)));
  }
  return hits;
}

Hits grub_elsewhere(const LintScope& scope) {
  const auto& host = scope.host;
  const auto by_grub = booted_by_grub(host);
  if (host.boot.flow == "rpm-ostree") {
    return grub_hits(scope, LintVerdict::no_op,
                     "This host is managed by rpm-ostree, which keeps the kernel arguments itself.",
                     "rpm-ostree kargs --append=ARGUMENT");
  }
  if (host.boot.flow == "nixos") {
    return grub_hits(scope, LintVerdict::no_op,
                     "This host is NixOS, which makes its boot entries from its configuration.",
                     "boot.kernelParams = [ \"ARGUMENT\" ];");
  }
  const bool own_line = std::ranges::any_of(host.settings, [](const auto& file) {
    return model::settings_kind(file.path) == model::SettingsKind::kernel_command_line;
  });
  if (own_line && by_grub && !*by_grub) {
    return grub_hits(
        scope, LintVerdict::no_op,
        "This host did not boot by GRUB (its command line lacks BOOT_IMAGE=, which "
        "GRUB adds), and it has a kernel command line in a file of its own.",
        host.boot.flow == "proxmox"
            ? "add it to the line of etc/kernel/cmdline, then: proxmox-boot-tool refresh"
            : "add it to the line of etc/kernel/cmdline, and make the boot entries anew");
  }
  return {};
}

Hits grub_not_updated(const LintScope& scope) {
  const Pieces& pieces = scope.pieces;
  if (pieces.kind != TextKind::guide || pieces.grub.empty()) return {};
  for (std::string_view step : {"update-grub", "grub-mkconfig", "grub2-mkconfig", "grubby",
                                "kernelstub", "proxmox-boot-tool", "grub.cfg"}) {
    if (pieces.mentions(step)) return {};
  }
  const GrubLine& last = pieces.grub.back();
  return {hit_at(last.line, last.name)};
}

Hits grub_conf(const LintScope& scope) {
  Hits hits;
  if (scope.pieces.kind != TextKind::guide && scope.pieces.kind != TextKind::shell) return hits;
  for (std::size_t i = 0; i < scope.pieces.lines.size(); ++i) {
    const std::string line = lower(scope.pieces.lines[i]);
    for (std::string_view name : {"grub.conf", "grub. conf"}) {
      const auto at = line.find(name);
      if (at == std::string::npos) continue;
      hits.push_back(
          hit_at(static_cast<int>(i) + 1, scope.pieces.lines[i].substr(at, name.size())));
    }
  }
  return hits;
}

}  // namespace tessera::plan::linting
