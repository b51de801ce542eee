// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/reading.h"
#include "model/slice_health.h"

/// How nvidia-smi writes values, in its XML and its text alike.
namespace tessera::vendor {

/// What stands where a value belongs, nothing where the place is not there. Brackets around it go
/// ("[N/A]"). "N/A", "[Not Supported]" and "Not Available" give model::not_applicable, words of
/// refusal ("Unknown Error", "GPU is lost", "Requested functionality has been deprecated") and an
/// empty text ("empty") are unreadable with those words.
model::Reading<std::string> said(std::optional<std::string_view> text);

// The same with a unit; what does not fit is unreadable and quoted: "'12 bananas' is no size".

/// "3072 MiB"; drivers before 304 say "MB" and mean the same. In bytes.
model::Reading<std::uint64_t> said_size(const model::Reading<std::string>& text);
/// "12 %".
model::Reading<int> said_percent(const model::Reading<std::string>& text);
/// "0"; up to 2^31-1.
model::Reading<int> said_number(const model::Reading<std::string>& text);
model::Reading<std::uint64_t> said_count(const model::Reading<std::string>& text);
/// "60", "60 FPS".
model::Reading<int> said_frame_rate(const model::Reading<std::string>& text);
/// "Enabled" or "Disabled", "Yes" or "No".
model::Reading<bool> said_switch(const model::Reading<std::string>& text);

/// The error in a text that nvidia-smi prints in place of a report: no driver, another version of
/// it, no permission. Nothing for other texts.
std::optional<Error> refusal(std::string_view text, std::string_view name);
/// Whether a line is "Unable to determine the device handle for GPU...": one card does not answer.
/// Gives what follows "for ".
std::optional<std::string> unreachable_card(std::string_view line);
/// Whether the text says that there is nothing to report on: "No devices were found", "No
/// supported devices in vGPU mode".
bool says_no_devices(std::string_view text);

}  // namespace tessera::vendor
