// SPDX-License-Identifier: Apache-2.0
// An operation as the journal stored it: what is read is written as it was read, and every step
// and expectation has words for the printed plan.
#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "model/json.h"

namespace {

using tessera::fuzz::must;
namespace model = tessera::model;

void has_words(const std::vector<model::Step>& steps) {
  for (const auto& step : steps) {
    must(!model::in_words(step).empty(), "a step has words");
    for (const auto& expectation : step.then)
      must(!model::in_words(expectation).empty(), "an expectation has words");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto operation = model::operation_from_json(tessera::fuzz::text_of(data, size));
  if (!operation) {
    must(operation.error().kind == tessera::ErrorKind::invalid, "a bad operation is `invalid`");
    return 0;
  }
  has_words(operation->forward);
  has_words(operation->undo);
  auto text = model::to_json(*operation).dump();
  auto again = model::operation_from_json(text);
  must(again.has_value(), "what is written can be read");
  must(*again == *operation, "and says the same");
  must(model::to_json(*again).dump() == text, "and is written the same way again");
  return 0;
}
