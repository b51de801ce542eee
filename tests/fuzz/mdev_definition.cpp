// SPDX-License-Identifier: Apache-2.0
// A definition's file, and mdevctl's list of them: what is accepted stays below its device, is
// written again and reads the same; a refusal names the file.
#include "model/mdev_definition.h"

#include "fuzz.h"

namespace {

using tessera::fuzz::must;
namespace model = tessera::model;

void told(const tessera::Error& error) {
  must(error.kind == tessera::ErrorKind::invalid, "a bad file is `invalid`");
  must(error.subject.starts_with("file"), "the error says where");
  must(!error.sentence.empty(), "and what");
}

void one_file(std::string_view text) {
  auto definition = model::parse_mdev_definition(text, "0000:3b:00.4", {}, "file");
  if (!definition) return told(definition.error());
  must(check(*definition).has_value(), "what was read can be kept");
  const auto written = mdevctl_file(*definition);
  auto again = model::parse_mdev_definition(written, "0000:3b:00.4", {}, "again");
  must(again.has_value() && *again == *definition, "what is written reads the same");
  must(mdevctl_file(*again) == written, "and is written the same way again");
}

void list(std::string_view text) {
  auto all = model::parse_mdevctl_list_json(text, "file");
  if (!all) return told(all.error());
  for (const auto& one : *all) must(check(one).has_value(), "each in a list can be kept");
  const auto written = model::mdevctl_list_json(*all);
  auto again = model::parse_mdevctl_list_json(written, "again");
  must(again.has_value() && again->size() == all->size(), "a list that is written can be read");
  must(model::mdevctl_list_json(*again) == written, "and is written the same way again");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = tessera::fuzz::text_of(data, size);
  one_file(text);
  list(text);
  return 0;
}
