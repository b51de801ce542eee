// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvidia_mig.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"

namespace tessera::vendor {

using model::GpuInstance;
using model::GpuInstanceProfile;

namespace {

using Words = std::vector<std::string_view>;

/// A number of a table: small, so that sums of them cannot overflow.
std::optional<int> table_number(std::string_view word) {
  constexpr std::uint64_t most = 1'000'000;
  const auto number = text::to_number(word);
  if (!number || *number > most) return std::nullopt;
  return static_cast<int>(*number);
}

std::unexpected<Error> broken(std::string_view name, std::size_t line, std::string_view text) {
  return fail(ErrorKind::invalid, fmt::format("{}:{}", name, line),
              fmt::format("'{}' is no row of nvidia-smi's MIG tables", text::printable(text)),
              "give the text as nvidia-smi printed it, of one card");
}

/// The words of "|   0  MIG 1g.5gb  19 ..." after "MIG"; nothing for a line of another kind.
std::optional<Words> row_of(std::string_view line) {
  auto words = text::words(line);
  if (words.size() < 3 || words[0] != "|" || !table_number(words[1]) || words[2] != "MIG") {
    return std::nullopt;
  }
  words.erase(words.begin(), words.begin() + 3);
  return words;
}

/// All rows have to be of one card, whose number nobody needs then.
class OneCard {
 public:
  bool is(std::string_view number) {
    if (number_.empty()) number_ = number;
    return number_ == number;
  }

 private:
  std::string number_;
};

/// "1g.5gb", "3g.20gb", "1g.24gb+gfx": the slices and the GiB that a name says.
bool take_name(std::string_view name, GpuInstanceProfile& profile) {
  const auto point = name.find("g.");
  const auto unit = name.find("gb");
  if (point == std::string_view::npos || unit == std::string_view::npos || unit < point + 2) {
    return false;
  }
  const auto slices = table_number(name.substr(0, point));
  const auto size = table_number(name.substr(point + 2, unit - point - 2));
  if (!slices || !size || *slices == 0) return false;
  profile.name = name;
  profile.slices = *slices;
  profile.framebuffer_bytes = static_cast<std::uint64_t>(*size) * gib;
  return true;
}

/// "19  7/7": the number, and how many there can be.
std::optional<GpuInstanceProfile> profile_of(const Words& row) {
  GpuInstanceProfile profile;
  if (row.size() < 3 || !take_name(row[0], profile)) return std::nullopt;
  const auto id = table_number(row[1]);
  const auto slash = row[2].find('/');
  if (!id || slash == std::string_view::npos) return std::nullopt;
  const auto total = table_number(row[2].substr(slash + 1));
  if (!total || !table_number(row[2].substr(0, slash))) return std::nullopt;
  profile.id = *id;
  profile.max_instances = *total;
  return profile;
}

struct Places {
  int profile = 0;
  std::vector<int> starts;
  int length = 0;
};

/// "{0,1,2}:1".
bool take_places(std::string_view list, Places& places) {
  const auto end = list.find("}:");
  if (!list.starts_with("{") || end == std::string_view::npos) return false;
  const auto length = table_number(list.substr(end + 2));
  if (!length || *length == 0) return false;
  places.length = *length;
  for (const auto word : text::split(list.substr(1, end - 1), ',')) {
    const auto start = table_number(text::trim(word));
    if (!start) return false;
    places.starts.push_back(*start);
  }
  std::ranges::sort(places.starts);
  return std::ranges::adjacent_find(places.starts) == places.starts.end();
}

/// "GPU  0 Profile ID 19 Placements: {0,1,2}:1", "... Placement : {0}:8".
std::optional<Places> places_of(const Words& words) {
  Places places;
  const auto id = table_number(words[4]);
  if (!id || !take_places(words.back(), places)) return std::nullopt;
  places.profile = *id;
  return places;
}

bool begins_places(const Words& words) {
  return words.size() > 5 && words[0] == "GPU" && words[2] == "Profile" && words[3] == "ID";
}

Result<std::vector<Places>> all_places(std::string_view text, std::string_view name) {
  std::vector<Places> all;
  OneCard card;
  std::size_t number = 0;
  for (const auto line : text::lines(text)) {
    ++number;
    const auto words = text::words(line);
    if (!begins_places(words)) continue;
    auto places = places_of(words);
    const bool again =
        places && std::ranges::find(all, places->profile, &Places::profile) != all.end();
    if (!places || again || !card.is(words[1])) return broken(name, number, line);
    all.push_back(std::move(*places));
  }
  return all;
}

std::optional<GpuInstance> instance_of(const Words& row) {
  if (row.size() < 4) return std::nullopt;
  const auto profile = table_number(row[1]);
  const auto id = table_number(row[2]);
  const auto colon = std::min(row[3].find(':'), row[3].size());
  const auto start = table_number(row[3].substr(0, colon));
  if (!profile || !id || !start || colon == row[3].size()) return std::nullopt;
  return GpuInstance{*id, *profile, *start};
}

}  // namespace

Result<std::vector<GpuInstanceProfile>> parse_gpu_instance_profiles(std::string_view profiles,
                                                                    std::string_view placements,
                                                                    std::string_view name) {
  TRY_LET(const auto places, all_places(placements, name));
  std::vector<GpuInstanceProfile> all;
  std::vector<int> seen;
  OneCard card;
  std::size_t number = 0;
  for (const auto line : text::lines(profiles)) {
    ++number;
    const auto row = row_of(line);
    if (!row) continue;
    auto profile = profile_of(*row);
    const bool again = profile && std::ranges::find(seen, profile->id) != seen.end();
    if (!profile || again || !card.is(text::words(line)[1])) return broken(name, number, line);
    seen.push_back(profile->id);
    const auto where = std::ranges::find(places, profile->id, &Places::profile);
    if (where == places.end()) continue;
    profile->starts = where->starts;
    profile->length = where->length;
    all.push_back(std::move(*profile));
  }
  return all;
}

Result<std::vector<GpuInstance>> parse_gpu_instances(std::string_view instances,
                                                     std::string_view name) {
  std::vector<GpuInstance> all;
  OneCard card;
  std::size_t number = 0;
  for (const auto line : text::lines(instances)) {
    ++number;
    const auto row = row_of(line);
    if (!row) continue;
    const auto instance = instance_of(*row);
    const bool again =
        instance && std::ranges::find(all, instance->id, &GpuInstance::id) != all.end();
    if (!instance || again || !card.is(text::words(line)[1])) return broken(name, number, line);
    all.push_back(*instance);
  }
  return all;
}

}  // namespace tessera::vendor
