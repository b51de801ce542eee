// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include <fmt/format.h>

#include "model/drivers.h"
#include "plan/lint/given_devices.h"
#include "plan/lint/host_facts.h"
#include "plan/lint/rules.h"

namespace tessera::plan::linting {

using model::PciFunction;

namespace {

/// "0000:01:00.0 (NVIDIA ...)", for a sentence.
std::string named(const PciFunction& function) {
  return fmt::format("{} ({})", to_string(function.address), model::function_name(function));
}

}  // namespace

Hits device_missing(const LintScope& scope) {
  Hits hits;
  if (!lists_every_device(scope.host)) return hits;
  for (const GivenDevice& device : given_devices(scope.pieces)) {
    if (scope.host.function(device.address)) continue;
    Hit hit = hit_at(device.line, device.seen);
    hit.says = fmt::format("this host has no device at {}", to_string(device.address));
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits device_on_host_driver(const LintScope& scope) {
  Hits hits;
  for (const GivenDevice& device : given_devices(scope.pieces)) {
    const PciFunction* function = scope.host.function(device.address);
    if (!function || function->driver.empty() || device.managed || function->vendor_vgpu) continue;
    if (model::is_vfio_driver(function->driver)) continue;
    const bool card = scope.host.card_of(device.address) != nullptr;
    Hit hit = hit_at(device.line, device.seen,
                     card ? fmt::format("tessera assign {} --to vm, and then start the machine",
                                        to_string(device.address))
                          : std::string());
    hit.says = fmt::format("{} is on the host's driver {} now", named(*function), function->driver);
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits device_is_bridge(const LintScope& scope) {
  Hits hits;
  for (const GivenDevice& device : given_devices(scope.pieces)) {
    const PciFunction* function = scope.host.function(device.address);
    if (!function || !function->class_code.has_value()) continue;
    const std::uint32_t code = function->class_code.value();
    const bool no_display = device.x_vga && model::base_class(code) != 0x03;
    if (!model::is_bridge_class(code) && !no_display) continue;
    Hit hit = hit_at(device.line, device.seen);
    hit.says =
        fmt::format("{} is no GPU on this host: {}", named(*function), model::class_words(code));
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits device_twice(const LintScope& scope) {
  Hits hits;
  std::map<std::pair<int, model::PciAddress>, int> first_lines;
  for (const GivenDevice& device : given_devices(scope.pieces)) {
    const auto [first, is_new] =
        first_lines.emplace(std::pair{device.machine, device.address}, device.line);
    if (is_new) continue;
    Hit hit = hit_at(device.line, device.seen);
    hit.says = fmt::format("{} is given twice, first on line {}", to_string(device.address),
                           first->second);
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits vendor_vgpu_managed(const LintScope& scope) {
  Hits hits;
  for (const GivenDevice& device : given_devices(scope.pieces)) {
    const PciFunction* function = scope.host.function(device.address);
    if (function && function->vendor_vgpu && device.managed) {
      hits.push_back(hit_at(device.line, device.seen));
    }
  }
  return hits;
}

}  // namespace tessera::plan::linting
