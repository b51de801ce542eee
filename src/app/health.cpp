// SPDX-License-Identifier: Apache-2.0
#include "app/health.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "app/text_file.h"
#include "kernel/files.h"
#include "kernel/tools.h"
#include "plan/checks/bus_errors.h"
#include "plan/slices/health.h"
#include "probe/slices/nvidia_driver.h"
#include "vendor/nvidia_smi_xml.h"
#include "vendor/nvml.h"

namespace tessera::app {

using kernel::Root;
using model::GpuHealth;
using model::HealthReport;
using model::Reading;
using model::VgpuHealth;

namespace {

constexpr Milliseconds tool_time = std::chrono::seconds(30);
constexpr std::string_view nvidia_driver = "nvidia";

bool has_nvidia_driver(const model::HostSnapshot& host) {
  return std::ranges::any_of(host.functions,
                             [](const auto& one) { return one.driver == nvidia_driver; });
}

template <typename T>
void fill(Reading<T>& to, const Reading<T>& from) {
  if (to.is_absent()) to = from;
}

/// What nvidia-smi does not print.
void fill_from_nvml(HealthReport& report, const HealthReport& nvml) {
  for (GpuHealth& gpu : report.gpus) {
    const GpuHealth* const same = nvml.gpu(gpu.address);
    if (same == nullptr) continue;
    fill(gpu.memory_bus_bits, same->memory_bus_bits);
    fill(gpu.vgpu_count, same->vgpu_count);
    fill(gpu.scheduler, same->scheduler);
    fill(gpu.time_slice_ns, same->time_slice_ns);
  }
  for (VgpuHealth& vgpu : report.vgpus) {
    const auto same = std::ranges::find(nvml.vgpus, vgpu.vgpu_id, &VgpuHealth::vgpu_id);
    if (same != nvml.vgpus.end()) {
      fill(vgpu.encoder_capacity_percent, same->encoder_capacity_percent);
    }
  }
  report.source += fmt::format(", {}", nvml.source);
}

Result<HealthReport> from_texts(const std::string& cards, const std::string& cards_name,
                                const std::string& vgpus, const std::string& vgpus_name) {
  TRY_LET(HealthReport report, vendor::parse_nvidia_smi_xml(cards, cards_name));
  if (vgpus.empty()) return report;
  TRY_LET(auto machines, vendor::parse_nvidia_smi_vgpus(vgpus, vgpus_name));
  report.vgpus = std::move(machines.vgpus);
  report.source += fmt::format(", {}", vgpus_name);
  return report;
}

Result<HealthReport> from_files(const HealthTexts& texts) {
  TRY_LET(const auto cards, read_text_file(texts.cards));
  std::string vgpus;
  if (!texts.vgpus.empty()) {
    TRY_LET(vgpus, read_text_file(texts.vgpus));
  }
  return from_texts(cards, texts.cards, vgpus, texts.vgpus);
}

Result<HealthReport> from_notes(const Root& root, const std::string& cards) {
  namespace files = kernel::files;
  const auto name = [&](std::string_view note) {
    return fmt::format("{} ({})", root.location(), note);
  };
  return from_texts(cards, name(files::note_nvidia_query),
                    root.note(files::note_nvidia_vgpus).value_or(""),
                    name(files::note_nvidia_vgpus));
}

/// nvidia-smi of the running system or a rehearsal host. Its second report is there only where the
/// driver makes vGPUs.
Result<HealthReport> from_nvidia_smi(const Root& root, HealthDepth depth) {
  const std::string tool(kernel::files::nvidia_smi);
  TRY_LET(const auto cards, kernel::run_tool(root, tool, {"-q", "-x"}, Deadline::in(tool_time)));
  std::string vgpus;
  if (depth == HealthDepth::everything) {
    auto said = kernel::run_tool(root, tool, {"vgpu", "-q"}, Deadline::in(tool_time));
    if (said && said->exit_code == 0) vgpus = std::move(said->output);
  }
  return from_texts(cards.output, "nvidia-smi -q -x", vgpus, "nvidia-smi vgpu -q");
}

Result<HealthReport> from_nvml() {
  TRY_LET(const auto nvml, vendor::Nvml::open());
  return nvml.read();
}

/// NVML answers for this machine only.
Result<std::optional<HealthReport>> ask_driver(const Root& root, HealthDepth depth) {
  Result<HealthReport> nvml = fail(ErrorKind::not_found, std::string(vendor::nvml_library),
                                   "answers for the running system only");
  if (root.kind() == Root::Kind::live) nvml = from_nvml();
  if (nvml && depth == HealthDepth::cordons) return std::optional(std::move(*nvml));
  if (kernel::can_run_tool(root, std::string(kernel::files::nvidia_smi))) {
    auto report = from_nvidia_smi(root, depth);
    if (report && nvml) fill_from_nvml(*report, *nvml);
    if (report) return std::optional(std::move(*report));
    if (!nvml) return fail(std::move(report.error()));
  }
  if (nvml) return std::optional(std::move(*nvml));
  if (nvml.error().kind == ErrorKind::not_found) return std::nullopt;
  return fail(std::move(nvml.error()));
}

}  // namespace

Result<std::optional<HealthReport>> read_health(const Root& root, const model::HostSnapshot& host,
                                                HealthDepth depth, const HealthTexts& texts) {
  if (!texts.cards.empty()) {
    TRY_LET(auto report, from_files(texts));
    return std::optional(std::move(report));
  }
  if (const auto note = root.note(kernel::files::note_nvidia_query)) {
    TRY_LET(auto report, from_notes(root, *note));
    return std::optional(std::move(report));
  }
  if (!has_nvidia_driver(host)) return std::nullopt;
  return ask_driver(root, depth);
}

std::string fill_health(const Root& root, model::HostSnapshot& host) {
  host.cordons = plan::bus_error_cordons(host);
  const auto report = read_health(root, host, HealthDepth::cordons);
  if (!report) return one_line(report.error());
  if (!*report) return {};
  std::ranges::move(plan::slices::cordons(**report), std::back_inserter(host.cordons));
  for (auto& source : host.slice_sources) {
    const GpuHealth* const gpu = source.card ? (*report)->gpu(*source.card) : nullptr;
    if (gpu == nullptr) continue;
    fill(source.mig, gpu->mig.current);
    fill(source.mixed_sizes, gpu->mixed_sizes);
  }
  return {};
}

std::string fill_for_slices(const Root& root, model::HostSnapshot& host) {
  auto unknown = fill_health(root, host);
  return unknown.empty() ? probe::slices::ask_nvidia_driver(root, host) : unknown;
}

}  // namespace tessera::app
