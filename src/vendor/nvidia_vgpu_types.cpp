// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvidia_vgpu_types.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "vendor/nvidia_words.h"

namespace tessera::vendor {

using model::Profile;
using model::Reading;

namespace {

/// "0xb", "11".
std::optional<std::uint64_t> type_number(std::string_view word) {
  if (word.starts_with("0x") || word.starts_with("0X")) return text::to_number(word.substr(2), 16);
  return text::to_number(word);
}

/// Width and height come on lines of their own, the width first.
void take_resolution(std::string_view key, const Reading<std::string>& value, Profile& profile) {
  if (!said_number(value).has_value()) return;
  if (key == "Maximum X Resolution") profile.max_resolution = value.value();
  if (key == "Maximum Y Resolution" && profile.max_resolution.has_value()) {
    profile.max_resolution = profile.max_resolution.value() + "x" + value.value();
  }
}

void take_value(std::string_view key, std::string_view text, Profile& profile) {
  const auto value = said(text);
  // The first: a second name would leave the first one's series where it has none itself.
  if (key == "Name" && profile.name.empty()) model::take_nvidia_name(text::trim(text), profile);
  if (key == "Max Instances") profile.max_instances = said_number(value);
  if (key == "Display Heads") profile.heads = said_number(value);
  if (key == "Frame Rate Limit") profile.frame_rate_limit = said_frame_rate(value);
  if (key == "FB Memory" && !profile.framebuffer_bytes.has_value()) {
    profile.framebuffer_bytes = said_size(value);
  }
  take_resolution(key, value, profile);
}

class TypesParser {
 public:
  TypesParser(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  Result<std::vector<SupportedTypes>> parse() {
    for (const auto line : text::lines(text_)) {
      ++number_;
      TRY(read(text::trim(line)));
    }
    for (auto& card : cards_) {
      std::erase_if(card.profiles, [](const Profile& profile) { return profile.name.empty(); });
    }
    return std::move(cards_);
  }

 private:
  [[nodiscard]] std::unexpected<Error> broken(const std::string& sentence) const {
    return fail(ErrorKind::invalid, std::string(name_),
                fmt::format("line {}: {}", number_, sentence),
                "give the whole output of: nvidia-smi vgpu -s -v");
  }

  Status read(std::string_view line) {
    const auto words = text::words(line);
    if (words.size() == 2 && words[0] == "GPU" && words[1] != ":") return begin_card(words[1]);
    const auto colon = line.find(':');
    if (cards_.empty() || colon == std::string_view::npos) return {};
    const auto key = text::trim(line.substr(0, colon));
    const auto value = line.substr(colon + 1);
    if (key == "vGPU Type ID") return begin_type(text::trim(value));
    if (!cards_.back().profiles.empty()) take_value(key, value, cards_.back().profiles.back());
    return {};
  }

  Status begin_card(std::string_view word) {
    const auto address = model::parse_pci_address(word);
    if (!address) return broken(fmt::format("'{}' is no card's address", text::printable(word)));
    if (std::ranges::find(cards_, *address, &SupportedTypes::card) != cards_.end()) {
      return broken(fmt::format("{} is there twice", model::to_string(*address)));
    }
    cards_.push_back({*address, {}});
    return {};
  }

  Status begin_type(std::string_view word) {
    const auto number = type_number(word);
    if (!number || *number > UINT32_MAX) {
      return broken(fmt::format("'{}' is no type's number", text::printable(word)));
    }
    Profile profile;
    profile.type = std::to_string(*number);
    profile.device_api = "vfio-pci";
    auto& profiles = cards_.back().profiles;
    if (std::ranges::find(profiles, profile.type, &Profile::type) != profiles.end()) {
      return broken(fmt::format("type {} is there twice", profile.type));
    }
    profiles.push_back(std::move(profile));
    return {};
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t number_ = 0;
  std::vector<SupportedTypes> cards_;
};

}  // namespace

Result<std::vector<SupportedTypes>> parse_nvidia_vgpu_types(std::string_view text,
                                                            std::string_view name) {
  return TypesParser(text, name).parse();
}

}  // namespace tessera::vendor
