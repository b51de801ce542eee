// SPDX-License-Identifier: Apache-2.0
// nvidia-smi's MIG tables: kinds and instances are there once, each kind has places and a size;
// printed again they read the same. The input is one text for all three.
#include "vendor/nvidia_mig.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fuzz.h"

namespace {

using tessera::fuzz::must;
using tessera::model::GpuInstance;
using tessera::model::GpuInstanceProfile;

template <typename T>
bool has_each_once(const std::vector<T>& all) {
  return std::ranges::all_of(
      all, [&](const T& one) { return std::ranges::count(all, one.id, &T::id) == 1; });
}

void check_profiles(std::string_view text) {
  const auto profiles = tessera::vendor::parse_gpu_instance_profiles(text, text, "input");
  if (!profiles) {
    must(profiles.error().subject.starts_with("input:"), "a refusal names the line");
    return;
  }
  must(has_each_once(*profiles), "a kind is there once");
  std::string table;
  std::string places;
  for (const GpuInstanceProfile& one : *profiles) {
    must(one.length > 0 && one.slices > 0 && !one.starts.empty(), "and can be put somewhere");
    must(std::ranges::is_sorted(one.starts), "in order");
    table += fmt::format("| 0 MIG {} {} 0/{} |\n", one.name, one.id, one.max_instances);
    places += fmt::format("GPU 0 Profile ID {} Placements: {{{}}}:{}\n", one.id,
                          fmt::join(one.starts, ","), one.length);
  }
  const auto again = tessera::vendor::parse_gpu_instance_profiles(table, places, "again");
  must(again.has_value() && *again == *profiles, "printed again it reads the same");
}

void check_instances(std::string_view text) {
  const auto instances = tessera::vendor::parse_gpu_instances(text, "input");
  if (!instances) return;
  must(has_each_once(*instances), "an instance is there once");
  std::string table;
  for (const GpuInstance& one : *instances) {
    table += fmt::format("| 0 MIG 1g.5gb {} {} {}:1 |\n", one.profile, one.id, one.start);
  }
  const auto again = tessera::vendor::parse_gpu_instances(table, "again");
  must(again.has_value() && *again == *instances, "printed again it reads the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = tessera::fuzz::text_of(data, size);
  check_profiles(text);
  check_instances(text);
  return 0;
}
