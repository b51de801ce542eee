// SPDX-License-Identifier: Apache-2.0
// The text of `nvidia-smi vgpu -q`: a vGPU is on a card that was asked and there once; printed
// again it reads the same.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "fuzz.h"
#include "vendor/nvidia_smi_xml.h"

namespace {

using tessera::fuzz::must;
using tessera::model::Reading;
using tessera::model::VgpuHealth;
using tessera::vendor::VgpuReport;

/// A line with a value; an absent one has no line, and other missing ones are N/A.
template <typename T>
std::string line(std::string_view key, const Reading<T>& reading, std::string_view unit = "") {
  if (reading.is_absent()) return "";
  if (!reading.has_value()) return fmt::format("            {} : N/A\n", key);
  return fmt::format("            {} : {}{}\n", key, reading.value(), unit);
}

std::string printed(const VgpuReport& report) {
  std::string text;
  for (const auto& card : report.cards) {
    text += fmt::format("GPU {}\n", tessera::model::to_string(card));
    for (const VgpuHealth& vgpu : report.vgpus) {
      if (vgpu.card != card) continue;
      text += fmt::format("    vGPU ID : {}\n", vgpu.vgpu_id) + line("vGPU Type", vgpu.type_id) +
              line("Placement ID", vgpu.placement_id) +
              line("Frame Rate Limit", vgpu.frame_rate_limit, " FPS") + "        Utilization\n" +
              line("GPU", vgpu.utilization.gpu, " %") +
              line("Memory", vgpu.utilization.memory, " %") + "        Encoder Stats\n" +
              line("Active Sessions", vgpu.encoder_sessions);
    }
  }
  return text;
}

template <typename T>
bool same_value(const Reading<T>& left, const Reading<T>& right) {
  return left.has_value() ? left == right : !right.has_value();
}

bool same_numbers(const VgpuHealth& left, const VgpuHealth& right) {
  return left.card == right.card && left.vgpu_id == right.vgpu_id &&
         same_value(left.type_id, right.type_id) &&
         same_value(left.placement_id, right.placement_id) &&
         same_value(left.frame_rate_limit, right.frame_rate_limit) &&
         same_value(left.utilization.gpu, right.utilization.gpu) &&
         same_value(left.utilization.memory, right.utilization.memory) &&
         same_value(left.encoder_sessions, right.encoder_sessions);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto report =
      tessera::vendor::parse_nvidia_smi_vgpus(tessera::fuzz::text_of(data, size), "input");
  if (!report) {
    must(report.error().subject == "input", "a refusal names the text");
    must(!report.error().sentence.empty() && !report.error().hint.empty(), "and says what to do");
    return 0;
  }
  std::map<std::uint32_t, int> seen;
  for (const VgpuHealth& vgpu : report->vgpus) {
    must(std::ranges::find(report->cards, vgpu.card) != report->cards.end(),
         "a vGPU is on a card that was asked");
    must(++seen[vgpu.vgpu_id] == 1, "and there once");
    must(!vgpu.vm_name.has_value() || !vgpu.vm_name.value().empty(), "a name is not empty");
  }
  if (report->cards.empty()) return 0;
  auto again = tessera::vendor::parse_nvidia_smi_vgpus(printed(*report), "again");
  must(again.has_value(), "what is printed is understood");
  must(again->cards == report->cards, "with the same cards");
  must(std::ranges::equal(again->vgpus, report->vgpus, same_numbers), "and the same numbers");
  return 0;
}
