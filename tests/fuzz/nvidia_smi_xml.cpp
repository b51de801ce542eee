// SPDX-License-Identifier: Apache-2.0
// The XML of `nvidia-smi -q -x`: a card is there once, each value is one of the kinds of reading,
// and a line of warning above changes nothing but where a mistake is.
#include "vendor/nvidia_smi_xml.h"

#include <algorithm>

#include "fuzz.h"

namespace {

using tessera::fuzz::must;
using tessera::model::GpuHealth;
using tessera::model::Reading;

template <typename T>
void must_be_one_kind(const Reading<T>& reading) {
  const int kinds = static_cast<int>(reading.has_value()) + static_cast<int>(reading.is_absent()) +
                    static_cast<int>(reading.is_unreadable());
  must(kinds == 1, "a reading is a value, absent, or unreadable");
}

void must_be_percent(const Reading<int>& reading) {
  must_be_one_kind(reading);
  must(reading.value_or(0) >= 0, "a percentage is not negative");
}

void must_make_sense(const GpuHealth& gpu) {
  must(gpu.address.device < 32 && gpu.address.function < 8, "an address is in range");
  for (const auto& text : {gpu.uuid, gpu.name, gpu.architecture, gpu.recovery_action}) {
    must_be_one_kind(text);
    must(!text.has_value() || !text.value().empty(), "a text that is said is not empty");
  }
  must_be_percent(gpu.utilization.gpu);
  must_be_percent(gpu.utilization.decoder);
  must_be_one_kind(gpu.framebuffer_total_bytes);
  must_be_one_kind(gpu.volatile_errors.uncorrected);
  must_be_one_kind(gpu.remapped_rows.failure);
  must_be_one_kind(gpu.retired_pages.pending);
  must(gpu.vgpu_count.is_absent() && gpu.scheduler.is_absent(), "nothing is made up");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(tessera::fuzz::text_of(data, size));
  auto report = tessera::vendor::parse_nvidia_smi_xml(text, "input");
  if (!report) {
    must(report.error().subject == "input", "a refusal names the text");
    must(!report.error().sentence.empty() && !report.error().hint.empty(), "and says what to do");
    return 0;
  }
  must(report->source == "input" && report->vgpus.empty(), "the XML tells of cards");
  for (const auto& gpu : report->gpus) {
    must(report->gpu(gpu.address) == &gpu, "a card is there once");
    must_make_sense(gpu);
  }
  auto again =
      tessera::vendor::parse_nvidia_smi_xml("WARNING: infoROM is corrupted\n" + text, "input");
  must(again.has_value() && again->gpus == report->gpus, "a warning above changes nothing");
  return 0;
}
