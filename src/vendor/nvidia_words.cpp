// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvidia_words.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::vendor {

using model::Reading;

namespace {

constexpr std::array<std::string_view, 4> without_value = {"N/A", "Not Supported", "Not Available",
                                                           "Unsupported"};
constexpr std::array<std::string_view, 7> refusals = {
    "Unknown Error",
    "GPU is lost",
    "GPU requires reset",
    "ERR!",
    "Error",
    "Insufficient Permissions",
    "Requested functionality has been deprecated"};

/// What `read` makes of the text, or why there is nothing to read.
template <typename Read>
auto converted(const Reading<std::string>& text, std::string_view what, Read read)
    -> Reading<typename decltype(read(std::string_view()))::value_type> {
  using Value = Reading<typename decltype(read(std::string_view()))::value_type>;
  if (text.is_absent()) return {};
  if (!text.has_value()) return Value::unreadable(text.why());
  if (auto value = read(std::string_view(text.value()))) return *value;
  return Value::unreadable(fmt::format("'{}' is no {}", text::printable(text.value()), what));
}

std::optional<int> small_number(std::string_view word) {
  const auto number = text::to_number(word);
  if (!number || *number > std::uint64_t{std::numeric_limits<int>::max()}) return std::nullopt;
  return static_cast<int>(*number);
}

/// A number, and `unit` after it.
std::optional<int> number_with_unit(std::string_view text, std::string_view unit) {
  const auto words = text::words(text);
  if (words.size() != 2 || words[1] != unit) return std::nullopt;
  return small_number(words[0]);
}

std::optional<std::uint64_t> bytes_in(std::string_view text) {
  const auto words = text::words(text);
  if (words.size() != 2) return std::nullopt;
  const auto number = text::to_number(words[0]);
  const bool mib = words[1] == "MiB" || words[1] == "MB";
  const bool gib = words[1] == "GiB";
  const bool kib = words[1] == "KiB";
  if (!number || (!mib && !gib && !kib)) return std::nullopt;
  const std::uint64_t unit = std::uint64_t{1} << (gib ? 30U : mib ? 20U : 10U);
  if (*number > std::numeric_limits<std::uint64_t>::max() / unit) return std::nullopt;
  return *number * unit;
}

struct Refusal {
  std::string_view words;
  ErrorKind kind;
  std::string_view sentence;
  std::string_view hint;
};
constexpr std::string_view load_driver = "load the driver: sudo modprobe nvidia";
constexpr std::array<Refusal, 5> known_refusals = {{
    {"couldn't communicate with the NVIDIA driver", ErrorKind::unsupported,
     "nvidia-smi found no NVIDIA driver that answers", load_driver},
    {"Failed to initialize NVML: Driver Not Loaded", ErrorKind::unsupported,
     "nvidia-smi found no NVIDIA driver that answers", load_driver},
    {"Failed to initialize NVML: Driver/library version mismatch", ErrorKind::unsupported,
     "nvidia-smi is of another version than the driver that is loaded",
     "reboot, or unload the driver's modules and load them again"},
    {"Failed to initialize NVML: Insufficient Permissions", ErrorKind::denied,
     "nvidia-smi may not open the driver's device files", "run it as root"},
    {"Failed to initialize NVML", ErrorKind::io, "nvidia-smi could not open the driver's library",
     "see what the driver wrote: sudo dmesg | grep NVRM"},
}};

}  // namespace

Reading<std::string> said(std::optional<std::string_view> text) {
  if (!text) return {};
  std::string_view value = text::trim(*text);
  if (value.size() >= 2 && value.front() == '[' && value.back() == ']') {
    value = text::trim(value.substr(1, value.size() - 2));
  }
  if (value.empty()) return Reading<std::string>::unreadable("empty");
  if (std::ranges::find(without_value, value) != without_value.end()) {
    return Reading<std::string>::unreadable(std::string(model::not_applicable));
  }
  if (std::ranges::find(refusals, value) != refusals.end()) {
    return Reading<std::string>::unreadable(std::string(value));
  }
  return std::string(value);
}

Reading<std::uint64_t> said_size(const Reading<std::string>& text) {
  return converted(text, "size", bytes_in);
}

Reading<int> said_percent(const Reading<std::string>& text) {
  return converted(text, "percentage",
                   [](std::string_view value) { return number_with_unit(value, "%"); });
}

Reading<int> said_number(const Reading<std::string>& text) {
  return converted(text, "number", small_number);
}

Reading<std::uint64_t> said_count(const Reading<std::string>& text) {
  return converted(text, "count", [](std::string_view value) { return text::to_number(value); });
}

Reading<int> said_frame_rate(const Reading<std::string>& text) {
  return converted(text, "frame rate", [](std::string_view value) {
    const auto alone = small_number(value);
    return alone ? alone : number_with_unit(value, "FPS");
  });
}

Reading<bool> said_switch(const Reading<std::string>& text) {
  return converted(text, "switch", [](std::string_view value) -> std::optional<bool> {
    if (value == "Enabled" || value == "Yes") return true;
    if (value == "Disabled" || value == "No") return false;
    return std::nullopt;
  });
}

std::optional<Error> refusal(std::string_view text, std::string_view name) {
  for (const Refusal& known : known_refusals) {
    if (text.find(known.words) == std::string_view::npos) continue;
    return Error{known.kind, std::string(name), std::string(known.sentence),
                 std::string(known.hint)};
  }
  return std::nullopt;
}

std::optional<std::string> unreachable_card(std::string_view line) {
  constexpr std::string_view words = "Unable to determine the device handle for ";
  const auto at = line.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  return text::printable(text::trim(line.substr(at + words.size())));
}

bool says_no_devices(std::string_view text) {
  return text.find("No devices were found") != std::string_view::npos ||
         text.find("No supported devices in vGPU mode") != std::string_view::npos;
}

}  // namespace tessera::vendor
