// SPDX-License-Identifier: Apache-2.0
// What cards say of the slices they make: an mdev type's name and description (one line of
// NVIDIA's, lines of GVT-g's), the table of creatable vGPU types; and what people ask for. The two
// halves are a name and a description, and each is tried as the other texts as well.
#include <algorithm>

#include "fuzz.h"
#include "model/slice.h"
#include "plan/slices/request.h"
#include "probe/slices/frameworks.h"

namespace {

using tessera::fuzz::must;
namespace model = tessera::model;
namespace slices = tessera::plan::slices;

void describe(std::string_view text) {
  model::Profile profile;
  take_description(text, profile);
  must(profile.description.size() <= 4 * text.size() + 2, "a description does not grow");
  auto again = profile;
  take_description(text, again);
  must(again.framebuffer_bytes == profile.framebuffer_bytes, "reading it twice says the same");
}

void list_types(std::string_view text) {
  const auto types = tessera::probe::slices::parse_creatable_types(text);
  must(std::ranges::all_of(types,
                           [](const model::Profile& one) {
                             return !one.type.empty() && !one.name.empty() &&
                                    std::ranges::all_of(
                                        one.type, [](char c) { return c >= '0' && c <= '9'; });
                           }),
       "a creatable type has a number and a name");
}

void ask(std::string_view text) {
  const auto wishes = slices::parse_request(std::string(text));
  if (!wishes) {
    must(wishes.error().kind == tessera::ErrorKind::invalid, "what is no request is `invalid`");
    must(!wishes.error().hint.empty(), "and the forms there are are told");
    return;
  }
  must(!wishes->empty(), "a request asks for something");
  must(std::ranges::all_of(*wishes, [](const slices::Wish& wish) { return wish.count > 0; }),
       "of each at least one");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [name, description] = tessera::fuzz::halves(tessera::fuzz::text_of(data, size));
  for (const auto text : {name, description}) {
    if (const auto words = model::parse_nvidia_type_name(text)) {
      must(words->series.size() == 1, "a series is one letter");
      must(words->framebuffer_bytes > 0, "a vGPU has memory");
    }
    describe(text);
    list_types(text);
    ask(text);
  }
  return 0;
}
