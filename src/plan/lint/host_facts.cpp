// SPDX-License-Identifier: Apache-2.0
#include "plan/lint/host_facts.h"

#include <algorithm>

#include "base/text.h"

namespace tessera::plan::linting {

using model::HostSnapshot;
using model::PciFunction;

bool lists_every_device(const HostSnapshot& host) {
  return host.live ? !host.functions.empty() : host.function({}) != nullptr;
}

std::string addresses_of(const std::vector<const PciFunction*>& functions) {
  std::vector<std::string> names;
  for (const PciFunction* function : functions) names.push_back(to_string(function->address));
  return text::join(names, ", ");
}

std::optional<std::pair<int, int>> kernel_version(const HostSnapshot& host) {
  if (!host.kernel.release.has_value()) return std::nullopt;
  const auto parts = text::split(host.kernel.release.value(), '.');
  if (parts.size() < 2) return std::nullopt;
  const auto digits = parts[1].substr(0, parts[1].find_first_not_of("0123456789"));
  const auto major = text::to_number(parts[0]);
  const auto minor = text::to_number(digits);
  if (!major || !minor || *major > 1000 || *minor > 1000) return std::nullopt;
  return std::pair{static_cast<int>(*major), static_cast<int>(*minor)};
}

bool log_says(const HostSnapshot& host, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(host.kernel_log, [&](const std::string& line) {
    return std::ranges::all_of(
        words, [&](std::string_view word) { return line.find(word) != std::string::npos; });
  });
}

std::optional<bool> booted_by_grub(const HostSnapshot& host) {
  if (!host.kernel.command_line.has_value()) return std::nullopt;
  return host.kernel.command_line.value().find("BOOT_IMAGE=") != std::string::npos;
}

bool has_mdev(const HostSnapshot& host) {
  return std::ranges::any_of(host.functions, [](const PciFunction& function) {
    return !function.mdev_types.empty() || !function.mdevs.empty();
  });
}

bool has_vendor_vgpu(const HostSnapshot& host) {
  return std::ranges::any_of(host.functions, &PciFunction::vendor_vgpu);
}

}  // namespace tessera::plan::linting
