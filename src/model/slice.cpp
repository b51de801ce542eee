// SPDX-License-Identifier: Apache-2.0
#include "model/slice.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"

namespace tessera::model {

namespace {

Reading<int> small_number(std::string_view text) {
  auto number = text::to_number(text);
  if (!number || *number > 1'000'000'000) return Reading<int>::unreadable(text::printable(text));
  return static_cast<int>(*number);
}

/// "4096M", "128MB", "2G" in bytes.
Reading<std::uint64_t> size(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto number = text::to_number(text.substr(0, digits));
  const auto unit = text.substr(digits);
  constexpr std::uint64_t most = std::uint64_t{1} << 20U;  // of the unit: an EiB of MiB
  const bool mega = unit == "M" || unit == "MB";
  const bool giga = unit == "G" || unit == "GB";
  if (!number || static_cast<std::uint64_t>(*number) > most * most || (!mega && !giga)) {
    return Reading<std::uint64_t>::unreadable(text::printable(text));
  }
  return static_cast<std::uint64_t>(*number) * (giga ? gib : mib);
}

void take_word(std::string_view key, std::string_view value, Profile& profile) {
  if (key == "num_heads") profile.heads = small_number(value);
  if (key == "frl_config") profile.frame_rate_limit = small_number(value);
  if (key == "max_instance") profile.max_instances = small_number(value);
  if (key == "framebuffer") profile.framebuffer_bytes = size(value);
  if (key == "max_resolution") profile.max_resolution = text::printable(value);
}

void take_gvt_word(std::string_view key, std::string_view value, Profile& profile) {
  if (key == "resolution") profile.max_resolution = text::printable(value);
  if (!profile.gvt) profile.gvt = GvtShare{};
  if (key == "low_gm_size") profile.gvt->low_bytes = size(value).value_or(0);
  if (key == "high_gm_size") profile.gvt->high_bytes = size(value).value_or(0);
  if (key == "fence") profile.gvt->fences = small_number(value).value_or(0);
  if (key == "weight") profile.gvt->weight = small_number(value).value_or(0);
}

/// The words of a description: separated by commas (NVIDIA) or line ends (GVT-g).
std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(",\n"), text.size());
    const auto piece = text::trim(text.substr(0, end));
    if (!piece.empty()) pieces.push_back(piece);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return pieces;
}

}  // namespace

std::string_view to_string(Framework framework) {
  switch (framework) {
    case Framework::mdev:
      return "mdev";
    case Framework::gvt_g:
      return "gvt-g";
    case Framework::mdev_on_vf:
      return "mdev-on-vf";
    case Framework::vendor_vfio:
      return "vendor-vfio";
    case Framework::xe:
      return "xe";
    case Framework::i915:
      return "i915";
    case Framework::sriov:
      return "sriov";
  }
  return {};
}

bool is_whole_function(Framework framework) {
  return framework == Framework::sriov || framework == Framework::xe ||
         framework == Framework::i915;
}

std::optional<NvidiaTypeName> parse_nvidia_type_name(std::string_view name) {
  NvidiaTypeName parsed;
  name = name.substr(name.rfind(' ') + 1);
  const auto dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const auto tail = name.substr(dash + 1);
  const auto digits = std::min(tail.find_first_not_of("0123456789"), tail.size());
  const auto number = text::to_number(tail.substr(0, digits));
  if (!number || *number > 4096 || digits == tail.size()) return std::nullopt;
  if (std::string_view("QCAB").find(tail[digits]) == std::string_view::npos) return std::nullopt;
  parsed.framebuffer_bytes = *number == 0 ? gib / 2 : static_cast<std::uint64_t>(*number) * gib;
  parsed.series = tail.substr(digits, 1);
  parsed.suffix = tail.substr(digits + 1);
  if (!std::ranges::all_of(parsed.suffix, [](unsigned char c) { return std::isalnum(c) != 0; })) {
    return std::nullopt;
  }
  auto board = name.substr(0, dash);
  const auto inner = board.rfind('-');
  if (inner != std::string_view::npos && inner + 2 == board.size() &&
      std::isdigit(static_cast<unsigned char>(board.back())) != 0) {
    parsed.gpu_instance_slices = board.back() - '0';
    board = board.substr(0, inner);
  }
  parsed.board = text::printable(board);
  return parsed;
}

void take_nvidia_name(std::string_view name, Profile& profile) {
  profile.name = text::printable(name);
  const auto words = parse_nvidia_type_name(name);
  if (!words) return;
  profile.series = words->series;
  profile.gpu_instance_slices = words->gpu_instance_slices;
  if (profile.framebuffer_bytes.is_absent()) profile.framebuffer_bytes = words->framebuffer_bytes;
}

void take_description(std::string_view text, Profile& profile) {
  std::vector<std::string> words;
  for (auto piece : pieces_of(text)) {
    words.push_back(text::printable(piece));
    const auto mark = std::min(piece.find_first_of("=:"), piece.size());
    if (mark == piece.size()) continue;
    const auto key = text::trim(piece.substr(0, mark));
    const auto value = text::trim(piece.substr(mark + 1));
    piece[mark] == '=' ? take_word(key, value, profile) : take_gvt_word(key, value, profile);
  }
  profile.description = text::join(words, ", ");
}

const Profile* SliceSource::profile(std::string_view type) const {
  auto found = std::ranges::find(profiles, type, &Profile::type);
  return found == profiles.end() ? nullptr : &*found;
}

const GpuInstanceProfile& SliceSource::kind_of(const GpuInstance& instance) const {
  return *std::ranges::find(gpu_instance_profiles, instance.profile, &GpuInstanceProfile::id);
}

const SliceParent* SliceSource::parent(std::string_view wanted) const {
  auto found = std::ranges::find(parents, wanted, &SliceParent::device);
  return found == parents.end() ? nullptr : &*found;
}

int SliceSource::available(std::string_view type) const {
  int sum = 0;
  for (const auto& parent : parents) {
    for (const auto& creatable : parent.creatable) {
      if (creatable.type == type) sum += creatable.available.value_or(0);
    }
  }
  return sum;
}

}  // namespace tessera::model
