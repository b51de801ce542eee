// SPDX-License-Identifier: Apache-2.0
#include "app/printers/health.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/printers/doctor.h"
#include "app/printers/table.h"
#include "base/text.h"
#include "model/json.h"
#include "model/json_reading.h"
#include "plan/slices/health.h"

namespace tessera::app {

using model::Finding;
using model::GpuHealth;
using model::HealthReport;
using model::Reading;
using model::Switch;
using model::VgpuHealth;

namespace {

using Json = nlohmann::ordered_json;
using Pieces = std::vector<std::string>;

/// "12", "N/A", "not read: GPU_IS_LOST"; empty where nothing is told.
template <typename T, typename Format>
std::string words_of(const Reading<T>& reading, Format format) {
  if (reading.has_value()) return format(reading.value());
  if (reading.is_absent()) return {};
  if (model::is_not_applicable(reading)) return reading.why();
  return "not read: " + reading.why();
}

std::string count_words(const Reading<std::uint64_t>& reading) {
  return words_of(reading, [](std::uint64_t value) { return std::to_string(value); });
}
std::string size_words(const Reading<std::uint64_t>& reading) {
  return words_of(reading, [](std::uint64_t value) { return text::size(value); });
}
std::string plain_words(const Reading<std::string>& reading) {
  return words_of(reading, [](const std::string& value) { return text::printable(value); });
}
std::string percent_words(const Reading<int>& reading) {
  return words_of(reading, [](int value) { return fmt::format("{} %", value); });
}
std::string number_words(const Reading<int>& reading) {
  return words_of(reading, [](int value) { return std::to_string(value); });
}
std::string on_off(const Reading<bool>& reading) {
  return words_of(reading, [](bool value) { return value ? "on" : "off"; });
}
std::string yes_no(const Reading<bool>& reading) {
  return words_of(reading, [](bool value) { return value ? "yes" : "no"; });
}

/// "off, on after the next reset".
std::string switch_words(const Switch& mode) {
  const auto now = on_off(mode.current);
  const bool changes = mode.pending.has_value() && !(mode.pending == mode.current);
  return changes ? fmt::format("{}, {} after the next reset", now, on_off(mode.pending)) : now;
}

/// Adds "NAME VALUE", or nothing where there is no value. What is not there now (N/A) is left to
/// the JSON: a card without ECC would fill lines with it.
void add(Pieces& line, std::string_view name, const std::string& value) {
  if (!value.empty() && value != model::not_applicable) {
    line.push_back(fmt::format("{} {}", name, value));
  }
}

std::string line_text(std::string_view label, const Pieces& pieces, const ReportStyle& style) {
  constexpr std::size_t label_width = 10;
  if (pieces.empty()) return {};
  return fmt::format("  {:<{}}{}\n", label, label_width,
                     wrapped(text::join(pieces, ", "), label_width + 2, style.width));
}

Pieces memory_words(const GpuHealth& gpu) {
  Pieces words;
  const auto total = size_words(gpu.framebuffer_total_bytes);
  if (!total.empty()) words.push_back(total);
  add(words, "used", size_words(gpu.framebuffer_used_bytes));
  add(words, "the driver's", size_words(gpu.framebuffer_reserved_bytes));
  add(words, "ECC", switch_words(gpu.ecc));
  const auto cost = plan::slices::ecc_cost_bytes(gpu);
  if (cost.value_or(0) > 0) add(words, "which takes", size_words(cost));
  const auto after = plan::slices::framebuffer_after_reset_bytes(gpu);
  if (after.has_value() && !(after == gpu.framebuffer_total_bytes)) {
    add(words, "after the next reset", size_words(after));
  }
  return words;
}

Pieces error_words(const GpuHealth& gpu) {
  Pieces words;
  add(words, "corrected", count_words(gpu.volatile_errors.corrected));
  add(words, "uncorrected", count_words(gpu.volatile_errors.uncorrected));
  if (!words.empty()) words.back() += " since the driver was loaded";
  add(words, "corrected", count_words(gpu.aggregate_errors.corrected));
  add(words, "uncorrected", count_words(gpu.aggregate_errors.uncorrected));
  if (gpu.aggregate_errors.uncorrected.has_value()) words.back() += " in the card's life";
  return words;
}

Pieces bad_memory_words(const GpuHealth& gpu) {
  Pieces words;
  add(words, "pages retired after single-bit errors", count_words(gpu.retired_pages.single_bit));
  add(words, "after double-bit errors", count_words(gpu.retired_pages.double_bit));
  add(words, "more waiting for a reset:", yes_no(gpu.retired_pages.pending));
  add(words, "rows remapped after corrected errors", count_words(gpu.remapped_rows.correctable));
  add(words, "after uncorrected errors", count_words(gpu.remapped_rows.uncorrectable));
  add(words, "more waiting for a reset:", yes_no(gpu.remapped_rows.pending));
  add(words, "remapping failed:", yes_no(gpu.remapped_rows.failure));
  return words;
}

Pieces mode_words(const GpuHealth& gpu) {
  Pieces words;
  add(words, "virtualization",
      words_of(gpu.virtualization, [](auto mode) { return std::string(model::to_string(mode)); }));
  add(words, "vGPUs by",
      words_of(gpu.host_vgpu, [](auto mode) { return std::string(model::to_string(mode)); }));
  add(words, "mixed sizes", on_off(gpu.mixed_sizes));
  add(words, "MIG", switch_words(gpu.mig));
  add(words, "scheduler",
      words_of(gpu.scheduler, [](auto policy) { return std::string(model::to_string(policy)); }));
  add(words, "time slice", words_of(gpu.time_slice_ns, [](std::uint64_t ns) {
        return fmt::format("{:.3f} ms", static_cast<double>(ns) / 1e6);
      }));
  const auto action = plain_words(gpu.recovery_action);
  if (action != "None") add(words, "the driver asks for:", action);
  return words;
}

Pieces busy_words(const model::Utilization& busy) {
  Pieces words;
  add(words, "GPU", percent_words(busy.gpu));
  add(words, "memory", percent_words(busy.memory));
  add(words, "encoder", percent_words(busy.encoder));
  add(words, "decoder", percent_words(busy.decoder));
  return words;
}

std::string or_dash(const std::string& words) {
  return words.empty() ? "-" : words;
}

/// A machine by its name; by its UUID where nobody told the name.
std::string machine_words(const VgpuHealth& vgpu) {
  return or_dash(plain_words(vgpu.vm_name.has_value() ? vgpu.vm_name : vgpu.vm_uuid));
}

std::string vgpus_text(const HealthReport& report, const GpuHealth& gpu, const ReportStyle& style) {
  std::vector<Pieces> rows = {{"  VGPU", "TYPE", "MACHINE", "USED", "GPU", "FPS LIMIT", "ENCODERS",
                               "GUEST DRIVER", "LICENCE"}};
  for (const VgpuHealth& vgpu : report.vgpus) {
    if (vgpu.card != gpu.address) continue;
    rows.push_back(
        {fmt::format("  {}", vgpu.vgpu_id), or_dash(plain_words(vgpu.type_name)),
         machine_words(vgpu),
         fmt::format("{} of {}", or_dash(size_words(vgpu.framebuffer_used_bytes)),
                     or_dash(size_words(vgpu.framebuffer_total_bytes))),
         or_dash(percent_words(vgpu.utilization.gpu)), or_dash(number_words(vgpu.frame_rate_limit)),
         or_dash(number_words(vgpu.encoder_sessions)),
         or_dash(plain_words(vgpu.guest_driver_version)), or_dash(plain_words(vgpu.licence))});
  }
  return rows.size() > 1 ? table_text(rows, style) : std::string();
}

std::string gpu_text(const HealthReport& report, const GpuHealth& gpu,
                     const std::vector<Finding>& cordons, const ReportStyle& style) {
  auto text = fmt::format("{}  {}\n", bold(model::to_string(gpu.address), style),
                          or_dash(plain_words(gpu.name)));
  Pieces driver;
  add(driver, "driver", plain_words(gpu.driver_version));
  add(driver, "architecture", plain_words(gpu.architecture));
  add(driver, "UUID", plain_words(gpu.uuid));
  text += line_text("is", driver, style);
  text += line_text("memory", memory_words(gpu), style);
  text += line_text("errors", error_words(gpu), style);
  text += line_text("bad", bad_memory_words(gpu), style);
  text += line_text("modes", mode_words(gpu), style);
  text += line_text("busy", busy_words(gpu.utilization), style);
  text += vgpus_text(report, gpu, style);
  const auto why = findings_text(cordons, gpu.address, style);
  return text + (why.empty() ? "  Nothing speaks against new slices.\n\n" : "\n" + why);
}

void put_switch(Json& json, const char* name, const Switch& mode) {
  Json both = Json::object();
  model::put(both, "current", mode.current);
  model::put(both, "pending", mode.pending);
  json[name] = std::move(both);
}

Json errors_json(const model::EccCounts& counts) {
  Json json = Json::object();
  model::put(json, "corrected", counts.corrected);
  model::put(json, "uncorrected", counts.uncorrected);
  return json;
}

Json busy_json(const model::Utilization& busy) {
  Json json = Json::object();
  model::put(json, "gpu", busy.gpu);
  model::put(json, "memory", busy.memory);
  model::put(json, "encoder", busy.encoder);
  model::put(json, "decoder", busy.decoder);
  return json;
}

/// A value of an enumeration by its name.
template <typename T>
void put_name(Json& json, const char* name, const Reading<T>& reading) {
  if (reading.has_value()) {
    json[name] = model::to_string(reading.value());
  } else if (reading.is_unreadable()) {
    json[name] = {{"unreadable", model::json_text(reading.why())}};
  }
}

Json gpu_json(const GpuHealth& gpu) {
  Json json = {{"address", model::to_string(gpu.address)}};
  model::put(json, "uuid", gpu.uuid);
  model::put(json, "name", gpu.name);
  model::put(json, "architecture", gpu.architecture);
  model::put(json, "driver_version", gpu.driver_version);
  put_switch(json, "mig", gpu.mig);
  put_name(json, "virtualization", gpu.virtualization);
  put_name(json, "host_vgpu", gpu.host_vgpu);
  model::put(json, "mixed_sizes", gpu.mixed_sizes);
  model::put(json, "framebuffer_total_bytes", gpu.framebuffer_total_bytes);
  model::put(json, "framebuffer_used_bytes", gpu.framebuffer_used_bytes);
  model::put(json, "framebuffer_reserved_bytes", gpu.framebuffer_reserved_bytes);
  model::put(json, "framebuffer_after_reset_bytes",
             plan::slices::framebuffer_after_reset_bytes(gpu));
  model::put(json, "ecc_cost_bytes", plan::slices::ecc_cost_bytes(gpu));
  put_switch(json, "ecc", gpu.ecc);
  json["volatile_errors"] = errors_json(gpu.volatile_errors);
  json["aggregate_errors"] = errors_json(gpu.aggregate_errors);
  Json pages = Json::object();
  model::put(pages, "single_bit", gpu.retired_pages.single_bit);
  model::put(pages, "double_bit", gpu.retired_pages.double_bit);
  model::put(pages, "pending", gpu.retired_pages.pending);
  json["retired_pages"] = std::move(pages);
  Json remapped = Json::object();
  model::put(remapped, "correctable", gpu.remapped_rows.correctable);
  model::put(remapped, "uncorrectable", gpu.remapped_rows.uncorrectable);
  model::put(remapped, "pending", gpu.remapped_rows.pending);
  model::put(remapped, "failure", gpu.remapped_rows.failure);
  json["remapped_rows"] = std::move(remapped);
  model::put(json, "recovery_action", gpu.recovery_action);
  json["utilization_percent"] = busy_json(gpu.utilization);
  model::put(json, "vgpu_count", gpu.vgpu_count);
  put_name(json, "scheduler", gpu.scheduler);
  model::put(json, "time_slice_ns", gpu.time_slice_ns);
  return json;
}

Json vgpu_json(const VgpuHealth& vgpu) {
  Json json = {{"card", model::to_string(vgpu.card)}, {"vgpu_id", vgpu.vgpu_id}};
  model::put(json, "uuid", vgpu.uuid);
  model::put(json, "mdev_uuid", vgpu.mdev_uuid);
  model::put(json, "vm_uuid", vgpu.vm_uuid);
  model::put(json, "vm_name", vgpu.vm_name);
  model::put(json, "type_id", vgpu.type_id);
  model::put(json, "type_name", vgpu.type_name);
  model::put(json, "framebuffer_total_bytes", vgpu.framebuffer_total_bytes);
  model::put(json, "framebuffer_used_bytes", vgpu.framebuffer_used_bytes);
  model::put(json, "frame_rate_limit", vgpu.frame_rate_limit);
  model::put(json, "licence", vgpu.licence);
  model::put(json, "guest_driver_version", vgpu.guest_driver_version);
  model::put(json, "ecc", vgpu.ecc);
  model::put(json, "encoder_sessions", vgpu.encoder_sessions);
  model::put(json, "encoder_capacity_percent", vgpu.encoder_capacity_percent);
  json["utilization_percent"] = busy_json(vgpu.utilization);
  model::put(json, "placement_id", vgpu.placement_id);
  model::put(json, "gpu_instance", vgpu.gpu_instance);
  return json;
}

}  // namespace

std::string health_text(const HealthReport& report, const std::vector<Finding>& cordons,
                        const ReportStyle& style) {
  std::string text;
  for (const GpuHealth& gpu : report.gpus) text += gpu_text(report, gpu, cordons, style);
  for (const auto& words : report.unreachable) {
    text += fmt::format(
        "does not answer: {}\n  Its last words are in the kernel's log (dmesg | grep -i xid). It "
        "may "
        "have fallen off\n  the bus: reset it, or reboot the host.\n\n",
        text::printable(words));
  }
  if (text.empty())
    text = "The driver has no card: one that a VFIO driver has is not seen by it.\n\n";
  return text + fmt::format("by {}\n", report.source);
}

Json health_json(const HealthReport& report, const std::vector<Finding>& cordons) {
  Json json = {{"schema", health_schema}, {"source", model::json_text(report.source)}};
  json["cards"] = Json::array();
  for (const auto& gpu : report.gpus) json["cards"].push_back(gpu_json(gpu));
  json["vgpus"] = Json::array();
  for (const auto& vgpu : report.vgpus) json["vgpus"].push_back(vgpu_json(vgpu));
  json["unreachable"] = Json::array();
  for (const auto& words : report.unreachable) {
    json["unreachable"].push_back(model::json_text(words));
  }
  json["cordons"] = model::to_json(cordons)["findings"];
  return json;
}

}  // namespace tessera::app
