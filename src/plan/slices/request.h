// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/slice.h"

namespace tessera::plan::slices {

/// What the guests of a slice do, which decides among NVIDIA's series where several have the size.
enum class Workload {
  any,
  compute,  ///< C, or Q where there is no C
  desktop,  ///< Q, then B
  apps,     ///< A, then B, then Q
};
Result<Workload> parse_workload(std::string_view text);

/// One kind of slice that is asked for. Whatever is set must fit.
struct Wish {
  int count = 1;
  std::string type = {};                ///< "nvidia-300", "1145", or a profile's name, or its end
  std::uint64_t framebuffer_bytes = 0;  ///< exactly this size; 0: not said
  std::uint64_t at_least_bytes = 0;     ///< this size or the next that there is (--memory)
  std::string series = {};              ///< "Q"; empty: not said
  Workload workload = Workload::any;
  bool operator==(const Wish&) const = default;
};

/// What people write: "4x8G", "2xnvidia-300", "1x8Q+2x4Q", "8Q", "3xvf", "2x512M". A size with "G"
/// or "M" is framebuffer, with "Q", "C", "A" or "B" NVIDIA's GiB of that series; anything else
/// names a type or a profile. Errors: invalid, with the piece that is wrong and the forms there
/// are.
Result<std::vector<Wish>> parse_request(std::string_view text);

/// The wish as it is written: "4x8G".
std::string to_string(const Wish& wish);
std::string to_string(const std::vector<Wish>& wishes);

/// The profiles of a source that grant a wish, the best first: the series that its workload wants,
/// then the smallest. Empty where there is none.
std::vector<const model::Profile*> granting(const model::SliceSource& source, const Wish& wish);

}  // namespace tessera::plan::slices
