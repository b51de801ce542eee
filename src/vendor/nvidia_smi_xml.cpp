// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvidia_smi_xml.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <fmt/format.h>

#include <pugixml.hpp>

#include "base/text.h"
#include "vendor/nvidia_words.h"

namespace tessera::vendor {

using model::GpuHealth;
using model::HealthReport;
using model::Reading;

namespace {

constexpr std::string_view whole_output = "give the whole output of: nvidia-smi -q -x";

std::unexpected<Error> broken(std::string_view name, std::size_t line,
                              const std::string& sentence) {
  return fail(ErrorKind::invalid, std::string(name), fmt::format("line {}: {}", line, sentence),
              std::string(whole_output));
}

bool holds_elements(const pugi::xml_node& node) {
  return !node.find_child(
                  [](const pugi::xml_node& inner) { return inner.type() == pugi::node_element; })
              .empty();
}

/// The text of the element at `path`; nothing where there is none. Where the path ends early in an
/// element with text alone, that text speaks for all below it.
std::optional<std::string_view> text_at(const pugi::xml_node& from, std::string_view path) {
  pugi::xml_node node = from;
  for (const std::string_view step : text::split(path, '/')) {
    const pugi::xml_node child = node.child(std::string(step).c_str());
    if (!child) {
      const bool speaks_for_all =
          node != from && !holds_elements(node) && !text::trim(node.text().get()).empty();
      return speaks_for_all ? std::optional<std::string_view>(node.text().get()) : std::nullopt;
    }
    node = child;
  }
  return node.text().get();
}

Reading<std::string> at(const pugi::xml_node& gpu, std::string_view path) {
  return said(text_at(gpu, path));
}

/// One of the words, by its place in `Value`.
template <typename Value, std::size_t Count>
Reading<Value> one_of(const Reading<std::string>& text,
                      const std::array<std::string_view, Count>& words) {
  if (text.is_absent()) return {};
  if (!text.has_value()) return Reading<Value>::unreadable(text.why());
  const auto found = std::ranges::find(words, text.value());
  if (found == words.end()) {
    return Reading<Value>::unreadable(
        fmt::format("'{}' is no mode that is known", text::printable(text.value())));
  }
  return static_cast<Value>(found - words.begin());
}

Reading<model::VirtualizationMode> virtualization_of(const pugi::xml_node& gpu) {
  constexpr std::array<std::string_view, 5> words = {"None", "Pass-Through", "VGPU", "Host VGPU",
                                                     "Host VSGA"};
  return one_of<model::VirtualizationMode>(at(gpu, "gpu_virtualization_mode/virtualization_mode"),
                                           words);
}

Reading<model::HostVgpuMode> host_vgpu_of(const pugi::xml_node& gpu) {
  constexpr std::array<std::string_view, 2> words = {"Non SR-IOV", "SR-IOV"};
  return one_of<model::HostVgpuMode>(at(gpu, "gpu_virtualization_mode/host_vgpu_mode"), words);
}

/// The sum of the parts that have a value; without any, why the first has none.
Reading<std::uint64_t> sum(const std::vector<Reading<std::uint64_t>>& parts) {
  Reading<std::uint64_t> total;
  for (const auto& part : parts) {
    if (part.has_value() && total.has_value()) {
      const std::uint64_t room = UINT64_MAX - total.value();
      total = total.value() + std::min(part.value(), room);
    } else if (part.has_value() || total.is_absent()) {
      total = part;
    }
  }
  return total;
}

Reading<std::uint64_t> ecc_count(const pugi::xml_node& counts, bool corrected) {
  const auto old_total = text_at(counts, corrected ? "single_bit/total" : "double_bit/total");
  if (old_total) return said_count(said(old_total));
  std::vector<Reading<std::uint64_t>> parts;
  for (const pugi::xml_node& part : counts.children()) {
    const std::string_view name = part.name();
    const bool uncorrected = name.find("_uncorrectable") != std::string_view::npos;
    if (!uncorrected && name.find("_correctable") == std::string_view::npos) continue;
    if (uncorrected != corrected) parts.push_back(said_count(said(part.text().get())));
  }
  return sum(parts);
}

model::EccCounts ecc_counts(const pugi::xml_node& gpu, const char* which) {
  if (const pugi::xml_node counts = gpu.child("ecc_errors").child(which); holds_elements(counts)) {
    return {ecc_count(counts, true), ecc_count(counts, false)};
  }
  const auto all = said_count(at(gpu, std::string("ecc_errors/") + which));
  return {all, all};
}

/// Whether one of the two says yes; else what the first says, or the second where that is absent.
Reading<bool> either(const Reading<bool>& first, const Reading<bool>& second) {
  if (first.value_or(false) || second.value_or(false)) return true;
  return first.is_absent() ? second : first;
}

void read_memory(const pugi::xml_node& gpu, GpuHealth& found) {
  found.framebuffer_total_bytes = said_size(at(gpu, "fb_memory_usage/total"));
  found.framebuffer_used_bytes = said_size(at(gpu, "fb_memory_usage/used"));
  found.framebuffer_reserved_bytes = said_size(at(gpu, "fb_memory_usage/reserved"));
  found.ecc.current = said_switch(at(gpu, "ecc_mode/current_ecc"));
  found.ecc.pending = said_switch(at(gpu, "ecc_mode/pending_ecc"));
  found.volatile_errors = ecc_counts(gpu, "volatile");
  found.aggregate_errors = ecc_counts(gpu, "aggregate");
}

void read_repairs(const pugi::xml_node& gpu, GpuHealth& found) {
  found.retired_pages.single_bit =
      said_count(at(gpu, "retired_pages/multiple_single_bit_retirement/retired_count"));
  found.retired_pages.double_bit =
      said_count(at(gpu, "retired_pages/double_bit_retirement/retired_count"));
  found.retired_pages.pending = either(said_switch(at(gpu, "retired_pages/pending_retirement")),
                                       said_switch(at(gpu, "retired_pages/pending_blacklist")));
  found.remapped_rows.correctable = said_count(at(gpu, "remapped_rows/remapped_row_corr"));
  found.remapped_rows.uncorrectable = said_count(at(gpu, "remapped_rows/remapped_row_unc"));
  found.remapped_rows.pending = said_switch(at(gpu, "remapped_rows/remapped_row_pending"));
  found.remapped_rows.failure = said_switch(at(gpu, "remapped_rows/remapped_row_failure"));
  found.recovery_action = at(gpu, "gpu_recovery_action");
}

GpuHealth read_gpu(const pugi::xml_node& gpu, const model::PciAddress& address) {
  GpuHealth found;
  found.address = address;
  found.uuid = at(gpu, "uuid");
  found.name = at(gpu, "product_name");
  found.architecture = at(gpu, "product_architecture");
  found.driver_version = at(gpu.parent(), "driver_version");
  found.mig.current = said_switch(at(gpu, "mig_mode/current_mig"));
  found.mig.pending = said_switch(at(gpu, "mig_mode/pending_mig"));
  found.virtualization = virtualization_of(gpu);
  found.host_vgpu = host_vgpu_of(gpu);
  found.mixed_sizes = said_switch(at(gpu, "gpu_virtualization_mode/vgpu_heterogeneous_mode"));
  read_memory(gpu, found);
  read_repairs(gpu, found);
  found.utilization = {said_percent(at(gpu, "utilization/gpu_util")),
                       said_percent(at(gpu, "utilization/memory_util")),
                       said_percent(at(gpu, "utilization/encoder_util")),
                       said_percent(at(gpu, "utilization/decoder_util"))};
  return found;
}

std::size_t line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(
                 std::ranges::count(text.substr(0, std::min(offset, text.size())), '\n'));
}

/// Where the XML begins; the end of the text where there is none.
std::size_t xml_start(std::string_view text) {
  const auto declaration = text.find("<?xml");
  const auto root = text.find("<nvidia_smi_log");
  return std::min({declaration, root, text.size()});
}

Status read_gpus(const pugi::xml_node& log, std::string_view text, std::size_t start,
                 std::string_view name, HealthReport& report) {
  for (const pugi::xml_node& gpu : log.children("gpu")) {
    const auto mistake = [&](const std::string& sentence) {
      return broken(name, line_at(text, start + static_cast<std::size_t>(gpu.offset_debug())),
                    sentence);
    };
    const std::string_view id = gpu.attribute("id").value();
    const auto address = model::parse_pci_address(text::trim(id));
    if (!address) return mistake(fmt::format("'{}' is no card's address", text::printable(id)));
    if (report.gpu(*address) != nullptr) {
      return mistake(fmt::format("{} is there twice", model::to_string(*address)));
    }
    report.gpus.push_back(read_gpu(gpu, *address));
  }
  return {};
}

}  // namespace

Result<HealthReport> parse_nvidia_smi_xml(std::string_view text, std::string_view name) {
  HealthReport report;
  report.source = name;
  const std::size_t start = xml_start(text);
  const std::string_view before = text.substr(0, start);
  if (auto refused = refusal(before, name)) return fail(std::move(*refused));
  for (const std::string_view line : text::lines(before)) {
    if (auto card = unreachable_card(line)) report.unreachable.push_back(std::move(*card));
  }
  if (start == text.size()) {
    if (says_no_devices(before) || !report.unreachable.empty()) return report;
    return fail(ErrorKind::invalid, std::string(name),
                "no line of it begins the XML of nvidia-smi (<?xml or <nvidia_smi_log>)",
                std::string(whole_output));
  }
  pugi::xml_document document;
  const std::string_view xml = text.substr(start);
  const pugi::xml_parse_result parsed =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) {
    return broken(name, line_at(text, start + static_cast<std::size_t>(parsed.offset)),
                  fmt::format("the XML is broken ({})", parsed.description()));
  }
  const pugi::xml_node log = document.child("nvidia_smi_log");
  if (!log) {
    return broken(name, line_at(text, start),
                  fmt::format("the root of the XML is <{}>, not <nvidia_smi_log>",
                              text::printable(document.document_element().name())));
  }
  TRY(read_gpus(log, text, start, name, report));
  return report;
}

}  // namespace tessera::vendor
