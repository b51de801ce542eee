// SPDX-License-Identifier: Apache-2.0
// The text of `nvidia-smi vgpu -s -v`: cards and their types are there once; printed again they
// read the same.
#include "vendor/nvidia_vgpu_types.h"

#include <algorithm>

#include <fmt/format.h>

#include "fuzz.h"

namespace {

using tessera::fuzz::must;
using tessera::vendor::SupportedTypes;

std::string printed_types(const std::vector<SupportedTypes>& cards) {
  std::string text;
  for (const auto& card : cards) {
    text += fmt::format("GPU {}\n", tessera::model::to_string(card.card));
    for (const auto& profile : card.profiles) {
      text += fmt::format("vGPU Type ID : {}\nName : {}\n", profile.type, profile.name);
      if (profile.max_instances.has_value()) {
        text += fmt::format("Max Instances : {}\n", profile.max_instances.value());
      }
    }
  }
  return text;
}

bool same_types(const SupportedTypes& left, const SupportedTypes& right) {
  return left.card == right.card &&
         std::ranges::equal(left.profiles, right.profiles, [](const auto& one, const auto& other) {
           return one.type == other.type && one.name == other.name && one.series == other.series &&
                  one.max_instances.value_or(-1) == other.max_instances.value_or(-1);
         });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto cards =
      tessera::vendor::parse_nvidia_vgpu_types(tessera::fuzz::text_of(data, size), "input");
  if (!cards) {
    must(cards.error().sentence.starts_with("line "), "a refusal names the line");
    return 0;
  }
  for (const auto& card : *cards) {
    must(std::ranges::count(*cards, card.card, &SupportedTypes::card) == 1, "a card is there once");
    for (const auto& profile : card.profiles) must(!profile.name.empty(), "a type has a name");
  }
  const auto again = tessera::vendor::parse_nvidia_vgpu_types(printed_types(*cards), "again");
  must(again.has_value(), "what is printed is understood");
  must(std::ranges::equal(*again, *cards, same_types), "and reads the same");
  return 0;
}
