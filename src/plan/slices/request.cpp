// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/request.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"

namespace tessera::plan::slices {

namespace {

constexpr int most_slices = 4096;
constexpr std::string_view forms =
    "write COUNTxKIND, and + between kinds: 4x8G (8 GiB each), 1x8Q+2x4Q, 2xnvidia-300, 3xvf";

std::unexpected<Error> wrong(std::string_view piece, std::string_view what) {
  return fail(ErrorKind::invalid, text::printable(piece), std::string(what), std::string(forms));
}

/// "8G" and "512M" are sizes, "8Q" is a size of a series; false for other words.
bool take_size(std::string_view kind, Wish& wish) {
  const auto digits = std::min(kind.find_first_not_of("0123456789"), kind.size());
  const auto number = text::to_number(kind.substr(0, digits));
  if (!number || *number > 1'000'000 || kind.size() != digits + 1) return false;
  const auto letter = static_cast<char>(std::toupper(static_cast<unsigned char>(kind[digits])));
  if (std::string_view("GMQCAB").find(letter) == std::string_view::npos) return false;
  const bool is_series = letter != 'G' && letter != 'M';
  wish.framebuffer_bytes = *number * (letter == 'M' ? mib : gib);
  if (is_series && *number == 0) wish.framebuffer_bytes = gib / 2;  // NVIDIA's "0B" and "0Q"
  if (is_series) wish.series = letter;
  return wish.framebuffer_bytes > 0;
}

Result<Wish> parse_wish(std::string_view piece) {
  Wish wish;
  const auto digits = std::min(piece.find_first_not_of("0123456789"), piece.size());
  auto kind = piece;
  const bool counted =
      digits > 0 && digits < piece.size() && (piece[digits] == 'x' || piece[digits] == 'X');
  if (counted) {
    const auto count = text::to_number(piece.substr(0, digits));
    if (!count || *count < 1 || *count > most_slices) {
      return wrong(piece, fmt::format("the count must be 1 to {}", most_slices));
    }
    wish.count = static_cast<int>(*count);
    kind = piece.substr(digits + 1);
  }
  if (kind.empty()) return wrong(piece, "says no kind of slice");
  if (!take_size(kind, wish)) wish.type = text::printable(kind);
  return wish;
}

/// Lower is better; nothing where the series does not fit the workload at all.
int rank_of(const std::string& series, Workload workload) {
  std::string_view order;
  if (workload == Workload::compute) order = "CQ";
  if (workload == Workload::desktop) order = "QB";
  if (workload == Workload::apps) order = "ABQ";
  if (order.empty() || series.empty()) return 0;
  const auto place = order.find(series);
  return place == std::string_view::npos ? -1 : static_cast<int>(place);
}

/// "nvidia-300" by its type, "GRID V100-8C" by its name or by what stands after its last space.
bool is_called(const model::Profile& profile, std::string_view wanted) {
  const auto name = std::string_view(profile.name);
  return profile.type == wanted || name == wanted || name.substr(name.rfind(' ') + 1) == wanted;
}

bool grants(const model::Profile& profile, const Wish& wish) {
  const auto bytes = profile.framebuffer_bytes.value_or(0);
  if (!wish.type.empty() && !is_called(profile, wish.type)) return false;
  if (wish.framebuffer_bytes > 0 && bytes != wish.framebuffer_bytes) return false;
  if (wish.at_least_bytes > 0 && bytes < wish.at_least_bytes) return false;
  if (!wish.series.empty() && profile.series != wish.series) return false;
  return rank_of(profile.series, wish.workload) >= 0;
}

}  // namespace

Result<Workload> parse_workload(std::string_view text) {
  if (text == "any") return Workload::any;
  if (text == "compute") return Workload::compute;
  if (text == "desktop") return Workload::desktop;
  if (text == "apps") return Workload::apps;
  return fail(ErrorKind::invalid, text::printable(text), "is no kind of work",
              "one of: compute, desktop, apps");
}

Result<std::vector<Wish>> parse_request(std::string_view text) {
  std::vector<Wish> wishes;
  int sum = 0;
  for (auto piece : text::split(text, '+')) {
    piece = text::trim(piece);
    if (piece.empty()) return wrong(text, "has an empty piece");
    TRY_LET(auto wish, parse_wish(piece));
    sum += wish.count;
    wishes.push_back(std::move(wish));
  }
  if (sum > most_slices) return wrong(text, fmt::format("more than {} slices", most_slices));
  return wishes;
}

std::string to_string(const Wish& wish) {
  std::string kind = wish.type;
  const auto bytes = std::max(wish.framebuffer_bytes, wish.at_least_bytes);
  if (kind.empty() && !wish.series.empty()) kind = fmt::format("{}{}", bytes / gib, wish.series);
  if (kind.empty() && bytes % gib == 0) kind = fmt::format("{}G", bytes / gib);
  if (kind.empty()) kind = fmt::format("{}M", bytes / mib);
  return fmt::format("{}x{}", wish.count, kind);
}

std::string to_string(const std::vector<Wish>& wishes) {
  std::vector<std::string> pieces;
  for (const auto& wish : wishes) pieces.push_back(to_string(wish));
  return text::join(pieces, "+");
}

std::vector<const model::Profile*> granting(const model::SliceSource& source, const Wish& wish) {
  std::vector<const model::Profile*> profiles;
  for (const auto& profile : source.profiles) {
    if (grants(profile, wish)) profiles.push_back(&profile);
  }
  const auto key = [&](const model::Profile* profile) {
    const auto rank = rank_of(profile->series, wish.workload);
    const auto bytes = profile->framebuffer_bytes.value_or(0);
    // With a smallest size the size decides first; a series that fits better must not cost memory.
    return std::tuple(wish.at_least_bytes > 0 ? bytes : 0, rank, bytes);
  };
  std::ranges::stable_sort(profiles, {}, key);
  return profiles;
}

}  // namespace tessera::plan::slices
