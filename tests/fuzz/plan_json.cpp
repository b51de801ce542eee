// SPDX-License-Identifier: Apache-2.0
// A plan as the journal stored it: what is read is written as it was read.
#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "model/json.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  namespace model = tessera::model;
  auto plan = model::plan_from_json(tessera::fuzz::text_of(data, size));
  if (!plan) {
    must(plan.error().kind == tessera::ErrorKind::invalid, "a bad plan is `invalid`");
    must(!plan.error().sentence.empty(), "and says which key");
    return 0;
  }
  auto text = model::to_json(*plan).dump();
  auto again = model::plan_from_json(text);
  must(again.has_value(), "what is written can be read");
  must(again->title == plan->title && again->subject == plan->subject, "the plan's name is kept");
  must(again->operations == plan->operations, "the operations are kept");
  must(again->notes == plan->notes, "the notes are kept");
  must(model::to_json(*again).dump() == text, "and it is written the same way again");
  return 0;
}
