// SPDX-License-Identifier: Apache-2.0
#include "model/machine.h"

#include <algorithm>

#include <fmt/format.h>

namespace tessera::model {

namespace {

constexpr std::uint64_t least_memory_mib = 16;
constexpr std::uint64_t most_memory_mib = 16ULL * 1024 * 1024;  // 16 TiB
constexpr int most_vcpus = 1024;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_machine_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && is_letter_or_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
         });
}

std::string_view to_string(Accelerator accelerator) {
  switch (accelerator) {
    case Accelerator::kvm:
      return "kvm";
    case Accelerator::tcg:
      return "tcg";
    case Accelerator::automatic:
      break;
  }
  return "auto";
}

Result<Accelerator> parse_accelerator(std::string_view text) {
  for (auto one : {Accelerator::automatic, Accelerator::kvm, Accelerator::tcg}) {
    if (text == to_string(one)) return one;
  }
  return fail(ErrorKind::invalid, std::string(text), "is no accelerator", "use auto, kvm or tcg");
}

Status check(const MachineSpec& spec) {
  if (!is_machine_name(spec.name)) {
    return fail(ErrorKind::invalid, spec.name.empty() ? "name" : spec.name,
                "a machine's name is 1 to 64 letters, digits, '-', '_' or '.', and starts with a "
                "letter or digit");
  }
  if (spec.kernel.empty()) {
    return fail(ErrorKind::invalid, spec.name, "the machine has no kernel to start",
                "name one with --kernel FILE");
  }
  if (spec.memory_mib < least_memory_mib || spec.memory_mib > most_memory_mib) {
    return fail(ErrorKind::invalid, spec.name,
                fmt::format("{} MiB of memory makes no sense; {} to {} MiB do", spec.memory_mib,
                            least_memory_mib, most_memory_mib));
  }
  if (spec.vcpus < 1 || spec.vcpus > most_vcpus) {
    return fail(ErrorKind::invalid, spec.name,
                fmt::format("{} processors make no sense; 1 to {} do", spec.vcpus, most_vcpus));
  }
  auto cards = spec.cards;
  std::ranges::sort(cards);
  if (auto twice = std::ranges::adjacent_find(cards); twice != cards.end()) {
    return fail(ErrorKind::invalid, to_string(*twice), "the card is named twice");
  }
  auto slices = spec.slices;
  std::ranges::sort(slices);
  if (auto twice = std::ranges::adjacent_find(slices); twice != slices.end()) {
    return fail(ErrorKind::invalid, *twice, "the slice is named twice");
  }
  return {};
}

}  // namespace tessera::model
